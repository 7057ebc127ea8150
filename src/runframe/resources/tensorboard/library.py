"""TensorBoard's own reader of its messages, which is an extra. TensorFlow is not needed and not loaded for it."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from runframe.errors import UsageError


def load(name: str) -> ModuleType:
    """A module of the `tensorboard` package, such as ``compat.proto.event_pb2``.

    Raises:
        UsageError: the package is not installed.
    """
    try:
        return import_module(f"tensorboard.{name}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f'reading TensorBoard files needs what is not installed ({error.name}): pip install "runframe[tensorboard]"'
        ) from error
