"""The made-up project that both clients read: the same on every machine, rendered once."""

from __future__ import annotations

import base64
import io
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

ENTITY, PROJECT = "bench", "bars"
CONFIG_KEYS, SUMMARY_KEYS, METRICS = 60, 40, 20

VARIANTS = 5
"""Different histories; runs share them, so that the server holds tens of megabytes and not hundreds."""

_BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Listing:
    """Some runs, each with `CONFIG_KEYS` and `SUMMARY_KEYS` entries.

    Attributes:
        runs: how many.
        history_lines: rows that each run's history has.
    """

    runs: int
    history_lines: int = 0

    @cached_property
    def created(self) -> list[str]:
        """When each run was made, ascending: busy days, quiet nights, and sweeps whose runs share one second."""
        rng = random.Random(2)
        moment, times = _BEGIN, []
        for _ in range(self.runs):
            pause = rng.choices([0, rng.expovariate(1 / 120), rng.expovariate(1 / 20_000)], [2, 7, 1])[0]
            moment += timedelta(seconds=int(pause))
            times.append(moment.strftime("%Y-%m-%dT%H:%M:%S"))
        return times

    @cached_property
    def light(self) -> list[bytes]:
        """Each run as a node without its documents; the last brace is left out."""
        rng = random.Random(3)
        return [orjson.dumps(self._light(number, rng))[:-1] for number in range(self.runs)]

    @cached_property
    def heavy(self) -> list[bytes]:
        """The documents of each node, to follow its light part."""
        rng = random.Random(4)
        return [b"," + orjson.dumps(self._heavy(rng))[1:-1] for _ in range(self.runs)]

    def node(self, number: int, full: bool) -> bytes:
        """A run's node."""
        return self.light[number] + (self.heavy[number] if full else b"") + b"}"

    def _light(self, number: int, rng: random.Random) -> dict[str, Any]:
        return {
            "id": base64.b64encode(f"Run:v1:run{number:06d}:{PROJECT}:{ENTITY}".encode()).decode(),
            "projectId": "7", "name": f"run{number:06d}", "displayName": f"{rng.choice(_WORDS)}-{number}",
            "state": rng.choice(["finished", "finished", "finished", "failed", "crashed"]),
            "tags": rng.sample(_WORDS, 2), "notes": None, "description": None, "group": f"group{number % 37}",
            "jobType": "train", "commit": f"{rng.getrandbits(160):040x}", "sweepName": None, "readOnly": False,
            "createdAt": self.created[number], "heartbeatAt": self.created[number],
            "historyLineCount": self.history_lines, "user": {"name": "Ada", "username": "ada"},
        }  # fmt: skip

    def _heavy(self, rng: random.Random) -> dict[str, Any]:
        values = [_value(position % 5, rng) for position in range(CONFIG_KEYS + SUMMARY_KEYS)]
        config: dict[str, Any] = {_key(position): {"value": values[position]} for position in range(CONFIG_KEYS - 20)}
        for group in range(4):
            inner = {f"option_{item}": values[CONFIG_KEYS - 20 + group * 5 + item] for item in range(5)}
            config[f"module_{group}"] = {"value": inner}
        summary = {f"metric/{_key(position)}": values[CONFIG_KEYS + position] for position in range(SUMMARY_KEYS)}
        if rng.random() < 0.1:
            for name in rng.sample(sorted(config), 3):
                del config[name]
        return {
            "config": orjson.dumps(config).decode(),
            "summaryMetrics": orjson.dumps(summary).decode(),
            "systemMetrics": '{"system.cpu":12.5,"system.memory":40.25}',
            "historyKeys": {"lastStep": self.history_lines - 1, "keys": {}} if self.history_lines else None,
        }


@dataclass(frozen=True)
class History:
    """Histories of `METRICS` metrics.

    Attributes:
        steps: rows of each.
    """

    steps: int

    @cached_property
    def rows(self) -> list[list[bytes]]:
        """Of each variant, its rows: each the JSON text of a row, as a JSON string."""
        return [[orjson.dumps(orjson.dumps(row).decode()) for row in self._rows(each)] for each in range(VARIANTS)]

    @cached_property
    def exported(self) -> list[bytes]:
        """Of each variant, the Parquet file of the whole history."""
        return [_parquet(self._rows(each)) for each in range(VARIANTS)]

    def _rows(self, variant: int) -> list[dict[str, Any]]:
        rng = random.Random(variant)
        return [
            {
                "_step": step, "_runtime": step * 0.25, "_timestamp": 1.7e9 + step * 0.25,
                **{_metric(item): rng.random() for item in range(METRICS)},
            }
            for step in range(self.steps)
        ]  # fmt: skip


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file, compression="zstd", row_group_size=10_000)
    return file.getvalue()


def _key(position: int) -> str:
    return f"group{position // 10}_key_{position}"


def _metric(item: int) -> str:
    return f"loss_{item}"


def _value(kind: int, rng: random.Random) -> Any:
    """A value as configs and summaries hold them: two floats of five, an int, a text, a bool."""
    if kind < 2:
        return rng.random()
    return (rng.randrange(10**6), f"value-{rng.randrange(50)}", rng.random() < 0.5)[kind - 2]


_WORDS = ["amber", "brisk", "cedar", "dune", "ember", "fjord", "grove", "heron", "iris", "juniper"]
