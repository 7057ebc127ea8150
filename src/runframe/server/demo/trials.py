"""The trainings behind the demo: scikit-learn models on scikit-learn's digits, over a small grid.

Needs scikit-learn, which comes with the `test` extra: only `runframe.server.demo.record` imports this.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from sklearn.linear_model import SGDClassifier  # type: ignore[import-untyped]
from sklearn.metrics import log_loss  # type: ignore[import-untyped]
from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
from sklearn.neural_network import MLPClassifier  # type: ignore[import-untyped]

SEED: Final = 7
CLASSES: Final = np.arange(10)

Model = Any
"""A fitted scikit-learn classifier."""


@dataclass(frozen=True)
class Digits:
    """The data: 8×8 images of handwritten digits, pixels scaled to 0…1, a third held back."""

    train: np.ndarray[Any, Any]
    train_labels: np.ndarray[Any, Any]
    validation: np.ndarray[Any, Any]
    validation_labels: np.ndarray[Any, Any]

    @classmethod
    def load(cls) -> Digits:
        """Load and split, always alike."""
        images, labels = load_digits(return_X_y=True)
        train, validation, train_labels, validation_labels = train_test_split(
            images / 16, labels, test_size=1 / 3, random_state=SEED, stratify=labels
        )
        return cls(train, train_labels, validation, validation_labels)


@dataclass(frozen=True)
class Step:
    """The model after some training; `train_loss` is given where the model knows it itself."""

    model: Model
    train_loss: float | None = None


@dataclass(frozen=True)
class Trial:
    """One run of the demo.

    Attributes:
        id: of the run; `name` its display name.
        family: of models; the run's group.
        config: the hyperparameters, nested.
        train: trains and gives the model after each epoch (or each round of trees).
        every: how many epochs lie between two validations.
        tags: of the run.
        notes: of the run.
    """

    id: str
    name: str
    family: str
    config: dict[str, Any]
    train: Callable[[Digits], Iterator[Step]]
    every: int = 5
    tags: tuple[str, ...] = ()
    notes: str = ""


def trials() -> list[Trial]:
    """Every run of the demo: 16, of four families; one of them diverges and fails."""
    linear = [
        _linear(f"sgd-{index}", lr, alpha)
        for index, (lr, alpha) in enumerate([(lr, alpha) for lr in (0.001, 0.01, 0.1) for alpha in (1e-4, 1e-2)], 1)
    ]
    networks = [
        _network("mlp-1", (32,), 0.05, 1e-4),
        _network("mlp-2", (32,), 0.5, 1e-4),
        _network("mlp-3", (64, 32), 0.05, 1e-4, notes="Two hidden layers,\nsmall steps."),
        _network("mlp-4", (64, 32), 0.2, 1e-2),
        _network("mlp-5", (32,), 1000.0, 1.0, tags=("diverges",), notes="A learning rate far too high, on purpose."),
    ]
    boosted = [
        _boosted(f"gbt-{index}", lr, depth) for index, (lr, depth) in enumerate([(0.1, 2), (0.3, 2), (0.3, 3)], 1)
    ]
    forests = [_forest("forest-1", None), _forest("forest-2", 6)]
    return [*linear, *networks, *boosted, *forests]


def _config(model: dict[str, Any], optimizer: dict[str, Any] | None, epochs: int) -> dict[str, Any]:
    config = {
        "dataset": {"name": "digits", "validation_share": 1 / 3, "scaled": True},
        "model": model,
        "epochs": epochs,
        "seed": SEED,
    }
    return config if optimizer is None else config | {"optimizer": optimizer}


def _linear(run_id: str, lr: float, alpha: float) -> Trial:
    epochs = 40

    def train(data: Digits) -> Iterator[Step]:
        model = SGDClassifier(loss="log_loss", learning_rate="constant", eta0=lr, alpha=alpha, random_state=SEED)
        for _ in range(epochs):
            yield Step(model.partial_fit(data.train, data.train_labels, classes=CLASSES))

    config = _config({"family": "linear", "loss": "log_loss"}, {"lr": lr, "alpha": alpha}, epochs)
    tags = ("baseline",) if run_id == "sgd-1" else ()
    return Trial(run_id, f"linear lr={lr:g} alpha={alpha:g}", "linear", config, train, tags=tags)


def _network(
    run_id: str, hidden: tuple[int, ...], lr: float, alpha: float, tags: tuple[str, ...] = (), notes: str = ""
) -> Trial:
    epochs = 40

    def train(data: Digits) -> Iterator[Step]:
        model = MLPClassifier(hidden, solver="sgd", learning_rate_init=lr, alpha=alpha, random_state=SEED)
        for _ in range(epochs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                warnings.simplefilter("ignore", RuntimeWarning)
                try:
                    model.partial_fit(data.train, data.train_labels, classes=CLASSES)
                except ValueError:
                    # Weights beyond any float: the loss of this epoch is NaN, and the run ends here.
                    yield Step(None, float(model.loss_))
                    raise
            yield Step(model, float(model.loss_))

    model = {"family": "network", "hidden": list(hidden), "activation": {"name": "relu", "out": "softmax"}}
    config = _config(model, {"lr": lr, "alpha": alpha, "momentum": {"rate": 0.9, "nesterov": True}}, epochs)
    name = f"network {'x'.join(map(str, hidden))} lr={lr:g}"
    return Trial(run_id, name, "network", config, train, tags=tags, notes=notes)


def _boosted(run_id: str, lr: float, depth: int) -> Trial:
    rounds = 30

    def train(data: Digits) -> Iterator[Step]:
        model = GradientBoostingClassifier(
            learning_rate=lr, max_depth=depth, n_estimators=1, subsample=0.5, warm_start=True, random_state=SEED
        )
        for count in range(1, rounds + 1):
            yield Step(model.set_params(n_estimators=count).fit(data.train, data.train_labels))

    config = _config({"family": "boosting", "depth": depth, "subsample": 0.5}, {"lr": lr}, rounds)
    return Trial(run_id, f"boosting lr={lr:g} depth={depth}", "trees", config, train, every=3)


def _forest(run_id: str, depth: int | None) -> Trial:
    rounds = 30

    def train(data: Digits) -> Iterator[Step]:
        model = RandomForestClassifier(n_estimators=2, max_depth=depth, warm_start=True, random_state=SEED)
        for count in range(1, rounds + 1):
            yield Step(model.set_params(n_estimators=2 * count).fit(data.train, data.train_labels))

    config = _config({"family": "forest", "depth": depth, "trees": 2 * rounds}, None, rounds)
    return Trial(run_id, f"forest depth={depth or 'any'}", "trees", config, train, every=3)


def loss_and_accuracy(
    model: Model, images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]
) -> tuple[float, float, np.ndarray[Any, Any]]:
    """Log loss, accuracy, and the probability of each class for each image; NaN where the model says NaN."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        probabilities = model.predict_proba(images)
    if np.isnan(probabilities).any():
        return math.nan, math.nan, probabilities
    accuracy = float((CLASSES[probabilities.argmax(axis=1)] == labels).mean())
    return float(log_loss(labels, probabilities, labels=CLASSES)), accuracy, probabilities
