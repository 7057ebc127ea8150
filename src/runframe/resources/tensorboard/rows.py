"""Everything that event files hold, as the rows, the config and the summary of one run.

A row holds what was logged at one step, whichever folder it came from, so that `train/loss` and `validation/loss` stand
side by side; its time is that of the first of them. Rows are in the order of their steps: `_step` counts them,
`global_step` is the step that was logged. What was logged twice at a step (a training that went on from a checkpoint)
has a row of its own for each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runframe.resources.tensorboard.hparams import config_of

RESERVED = frozenset({"_step", "_timestamp", "_runtime", "_wandb", "global_step"})


@dataclass
class Rows:
    """The rows that were read so far.

    Attributes:
        sessions: hyperparameters, by folder.
        charts: keys that are curves.
        left_out: what has no form in a row, and how often it came.
        tears: what was wrong with each file that could not be read to its end.
    """

    sessions: dict[str, dict[str, Any]] = field(default_factory=dict)
    charts: set[str] = field(default_factory=set)
    left_out: Counter[str] = field(default_factory=Counter)
    tears: list[str] = field(default_factory=list)
    _steps: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, step: int, time: float, key: str, value: Any) -> None:
        """Puts a value into the first row of its step that has none for the key."""
        key = f"tensorboard/{key}" if key in RESERVED else key
        rows = self._steps.setdefault(step, [])
        row = next((row for row in rows if key not in row), None)
        if row is None:
            row = {"global_step": step, "_timestamp": time}
            rows.append(row)
        row[key] = value
        row["_timestamp"] = min(row["_timestamp"], time)

    def add_session(self, folder: str, entries: dict[str, Any]) -> None:
        """Puts the hyperparameters of a session beside those of others; one that differs gets a number."""
        place, number = folder, 1
        while self.sessions.get(place, entries) != entries:
            number += 1
            place = f"{folder}#{number}"
        self.sessions[place] = entries

    @property
    def started(self) -> float | None:
        """Unix time of the first row; None where there are none."""
        return min((row["_timestamp"] for rows in self._steps.values() for row in rows), default=None)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        started = self.started or 0.0
        position = 0
        for step in sorted(self._steps):
            for row in self._steps[step]:
                yield {**row, "_runtime": row["_timestamp"] - started, "_step": position}
                position += 1

    def __len__(self) -> int:
        return sum(map(len, self._steps.values()))

    def config(self) -> dict[str, Any]:
        """The run's config: hyperparameters, and what W&B's pages need for the curves."""
        visualize = {key: _line(key) for key in sorted(self.charts)}
        reserved: dict[str, Any] = {"m": [], **({"visualize": visualize} if visualize else {})}
        return {**config_of(self.sessions), "_wandb": reserved}

    def summary(self) -> dict[str, Any]:
        """The last value of each key."""
        last: dict[str, Any] = {}
        for row in self:
            last.update(row)
        return {**last, "_wandb": {"runtime": int(last.get("_runtime", 0))}}


def _line(key: str) -> dict[str, Any]:
    """How W&B's pages draw a table of recall and precision."""
    table = {"name": "summaryTable", "args": [{"name": "tableKey", "value": key}]}
    runs = {
        "name": "runSets",
        "args": [{"name": "runSets", "value": "${runSets}"}],
        "fields": [{"name": "id"}, {"name": "name"}, {"name": "_defaultColorIndex"}, table],
    }
    return {
        "panel_type": "Vega2",
        "panel_config": {
            "panelDefId": "wandb/line/v0",
            "fieldSettings": {"x": "recall", "y": "precision"},
            "stringSettings": {"title": f"{key} Precision v. Recall"},
            "transform": {"name": "tableWithLeafColNames"},
            "userQuery": {"queryFields": [runs]},
        },
    }
