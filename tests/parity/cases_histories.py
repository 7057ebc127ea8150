"""Histories: sampled, scanned, of one run and of many."""

from __future__ import annotations

from typing import Any

from case import Cases, Read


def plain(value: Any) -> Any:
    """Rows as the official scan gives them: it turns whole floats into integers on the way."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def lossy(value: Any) -> Any:
    """Rows of chosen keys as the official scan gives them: every number is a float, what is no number a text."""
    if isinstance(value, dict):
        return {key: lossy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [lossy(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(value)]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def rows(api: Any, path: str, **options: Any) -> list[Any]:
    return list(api.run(path).scan_history(**options))


def rows_of(frame: Any) -> list[Any]:
    return [{key: value for key, value in row.items() if value is not None} for row in frame.to_dicts()]


def scan_facts(api: Any, **options: Any) -> list[Any]:
    scan = api.run("lab/run-0").scan_history(**options)
    facts = [scan.min_step, scan.max_step, scan.page_size, scan.keys]
    first = next(scan)
    return [*facts, plain(first), len(list(scan)), len(list(scan)), scan.run.id]


CASES: Cases = {
    "Run.history": {
        "a frame": Read(lambda api: api.run("lab/run-0").history()),
        "rows": Read(lambda api: api.run("parity/lr-0.1").history(pandas=False)),
        "few": Read(lambda api: api.run("parity/lr-0.1").history(samples=5, pandas=False)),
        "none": Read(lambda api: api.run("parity/lr-0.1").history(samples=0, pandas=False)),
        "keys": Read(lambda api: api.run("parity/lr-0.1").history(keys=["epoch", "train.accuracy"])),
        "keys, few": Read(lambda api: api.run("parity/lr-0.1").history(7, ["grad", "seen"], pandas=False)),
        "keys with an axis": Read(
            lambda api: api.run("parity/lr-0.1").history(keys=["valid/loss"], x_axis="epoch", pandas=False)
        ),
        "keys that are not together": Read(
            lambda api: api.run("lab/run-0").history(keys=["loss", "page"], pandas=False)
        ),
        "keys that are not there": Read(lambda api: api.run("lab/run-0").history(keys=["nothing"])),
        "no keys": Read(lambda api: api.run("lab/run-0").history(keys=[], pandas=False)),
        "keys that are none": Read(lambda api: api.run("lab/run-0").history(keys="loss")),
        "keys that are no text": Read(lambda api: api.run("lab/run-0").history(keys=[1])),
        "keys of the machine": Read(lambda api: api.run("lab/run-0").history(keys=["loss"], stream="system")),
        "of the machine": Read(lambda api: api.run("parity/lr-0.1").history(stream="system", pandas=False)),
        "of a run without": Read(lambda api: api.run("lab/running").history()),
        "rows of a run without": Read(lambda api: api.run("lab/running").history(pandas=False)),
        "of a run in a listing": Read(lambda api: api.runs("lab", {"name": "run-1"})[0].history(pandas=False)),
    },
    "Run.scan_history": {
        "all": Read(lambda api: rows(api, "parity/lr-0.1"), fit=plain),
        "in pages": Read(lambda api: rows(api, "parity/lr-0.1", page_size=7), fit=plain),
        "keys": Read(lambda api: rows(api, "parity/lr-0.1", keys=["epoch", "grad", "seen"]), fit=lossy),
        "keys in pages": Read(lambda api: rows(api, "parity/lr-0.1", keys=["valid/loss"], page_size=4), fit=lossy),
        "keys below others": Read(lambda api: rows(api, "parity/lr-0.1", keys=["train.accuracy"]), fit=lossy),
        "keys that are not there": Read(lambda api: rows(api, "parity/lr-0.1", keys=["nothing"])),
        "no keys": Read(lambda api: rows(api, "lab/run-0", keys=[]), fit=plain),
        "keys that are none": Read(lambda api: rows(api, "lab/run-0", keys="loss")),
        "keys that are no text": Read(lambda api: rows(api, "lab/run-0", keys=["loss", 1])),
        "steps": Read(lambda api: rows(api, "parity/lr-0.1", min_step=3, max_step=6), fit=plain),
        "steps beyond the end": Read(lambda api: rows(api, "parity/lr-0.1", min_step=28, max_step=1000), fit=plain),
        "steps to the last": Read(lambda api: [row["_step"] for row in rows(api, "parity/lr-0.1", max_step=30)]),
        "steps the wrong way": Read(lambda api: rows(api, "parity/lr-0.1", min_step=6, max_step=3)),
        "without a cache": Read(lambda api: rows(api, "lab/run-1", use_cache=False), fit=plain),
        "of a run without": Read(lambda api: rows(api, "lab/running")),
        "by position": Read(lambda api: list(api.run("lab/run-0").scan_history(["loss"], 2, 1, 3)), fit=lossy),
    },
    "HistoryScan.min_step": {"and the rest": Read(scan_facts)},
    "HistoryScan.max_step": {"with steps": Read(lambda api: scan_facts(api, min_step=1, max_step=3))},
    "HistoryScan.page_size": {"with pages": Read(lambda api: scan_facts(api, page_size=2))},
    "HistoryScan.keys": {"with keys": Read(lambda api: scan_facts(api, keys=["loss"]), fit=lossy)},
    "HistoryScan.__iter__": {"no length": Read(lambda api: len(api.run("lab/run-0").scan_history()))},
    "HistoryScan.__next__": {"of a run without": Read(lambda api: next(api.run("lab/running").scan_history()))},
    "Runs.histories": {
        "rows": Read(lambda api: api.runs("lab", order="+name").histories()),
        "a frame": Read(lambda api: api.runs("lab", order="+name").histories(format="pandas")),
        "a frame of polars": Read(lambda api: api.runs("lab", {"name": "run-1"}).histories(format="polars").to_dicts()),
        # The official client fails where the columns of two runs do not come in the same order.
        "a frame of polars of several": Read(
            lambda api: rows_of(
                api.runs("lab", {"name": {"$in": ["run-1", "run-2"]}}, "+name").histories(format="polars")
            ),
            theirs=lambda api: api.runs("lab", {"name": {"$in": ["run-1", "run-2"]}}, "+name").histories(),
            fit=lossy,
        ),
        "few of some keys": Read(lambda api: api.runs("parity", order="+name").histories(3, ["epoch", "grad"])),
        "with an axis": Read(lambda api: api.runs("parity").histories(samples=3, keys=["grad"], x_axis="epoch")),
        "of the machine": Read(lambda api: api.runs("parity").histories(stream="system")),
        "of none": Read(lambda api: [api.runs("empty").histories(), api.runs("empty").histories(format="pandas")]),
        "a form that there is not": Read(lambda api: api.runs("lab").histories(format="csv")),
    },
}
