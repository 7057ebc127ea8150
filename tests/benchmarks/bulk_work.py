"""One piece of work by one client, in a process of its own: ``python bulk_work.py NAME FOLDER`` prints what it took.

Imports and the making of the `Api` are not timed: they cost what they cost once, and both have them.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from bulk_data import ENTITY, PROJECT
from bulk_phases import Phases

KEY = "a" * 40
PATH = f"{ENTITY}/{PROJECT}"

Work = Callable[[Path], Callable[[], Any]]


def official_listing(folder: Path) -> Callable[[], Any]:
    """The documented recipe, with `lazy=False` and the default pages."""
    return _official_runs(50, wide=False)


def official_listing_best(folder: Path) -> Callable[[], Any]:
    """The recipe at its best: 1,000 a page, and pandas' flattening."""
    return _official_runs(1000, wide=True)


def _official_runs(per_page: int, *, wide: bool) -> Callable[[], Any]:
    import pandas as pd
    import wandb

    api = wandb.Api(api_key=KEY)

    def work() -> Any:
        names, summaries, configs = [], [], []
        for run in api.runs(PATH, per_page=per_page, lazy=False):
            summaries.append(run.summary._json_dict)
            configs.append({key: value for key, value in run.config.items() if not key.startswith("_")})
            names.append(run.id)
        if not wide:
            return pd.DataFrame({"id": names, "config": configs, "summary": summaries})
        rows = [
            {"id": each, "config": one, "summary": two}
            for each, one, two in zip(names, configs, summaries, strict=True)
        ]
        return pd.json_normalize(rows)

    return work


def our_listing(folder: Path) -> Callable[[], Any]:
    """`api.runs(…).frame()` as a polars frame."""
    api = _our_api("polars", "runframe.frames.flatten")
    return lambda: api.runs(PATH).frame().to_polars()


def floor_listing(folder: Path) -> Callable[[], Any]:
    """What no client can do without: all pages fetched side by side, and every document read by orjson."""
    import asyncio
    import gc
    import os

    import httpx

    base = os.environ["WANDB_BASE_URL"]
    query = "query Runs { project { runs(after: $cursor) { edges { node { id config summaryMetrics } } } } }"

    async def page(client: httpx.AsyncClient, start: int) -> bytes:
        variables = {"cursor": str(start), "perPage": 1000}
        answer = await client.post("/graphql", json={"query": query, "variables": variables})
        return answer.content

    async def pages(runs: int) -> list[bytes]:
        async with httpx.AsyncClient(base_url=base, timeout=60) as client:
            return await asyncio.gather(*(page(client, start) for start in range(0, runs, 1000)))

    def work() -> Any:
        count = 0
        gc.disable()
        for content in asyncio.run(pages(int(os.environ["BULK_RUNS"]))):
            for edge in orjson.loads(content)["data"]["project"]["runs"]["edges"]:
                orjson.loads(edge["node"]["config"])
                orjson.loads(edge["node"]["summaryMetrics"])
                count += 1
        gc.enable()
        return range(count)

    return work


def official_scan(folder: Path) -> Callable[[], Any]:
    """`scan_history` of each run, into one Parquet file."""
    import pandas as pd
    import wandb

    api = wandb.Api(api_key=KEY)

    def work() -> Any:
        tables = []
        for run in api.runs(PATH):
            table = pd.DataFrame.from_records(list(run.scan_history()))
            tables.append(table.assign(run_id=run.id))
        whole = pd.concat(tables, ignore_index=True)
        whole.to_parquet(folder / "official.parquet", compression="zstd")
        return whole

    return work


def official_exports(folder: Path) -> Callable[[], Any]:
    """`download_history_exports` of each run, then reading the files."""
    import polars as pl
    import wandb

    api = wandb.Api(api_key=KEY)

    def work() -> Any:
        frames = []
        for run in api.runs(PATH):
            found = run.download_history_exports(folder / "exports" / run.id)
            frames += [pl.read_parquet(file) for file in found.paths]
        return pl.concat(frames)

    return work


def our_export(folder: Path) -> Callable[[], Any]:
    """`export_project`: runs and complete histories as a dataset; what is counted is read back from it."""
    api = _our_api("pyarrow.parquet", "runframe.export", "runframe.frames.flatten")

    def work() -> Any:
        from runframe.export import export_project

        return export_project(api, PATH, to=folder / "dataset", progress=False)

    return work


def _our_api(*modules: str) -> Any:
    """Our `Api`, with the modules loaded that its work will load."""
    import runframe

    api = runframe.Api(api_key=KEY)
    for module in ("pyarrow", "runframe.resources.runs", "runframe.wire.session", *modules):
        importlib.import_module(module)
    importlib.import_module("pyarrow").array([0])  # at the first of which pyarrow imports pandas, if it is there
    return api


WORKS: dict[str, Work] = {
    name: work
    for name, work in list(globals().items())
    if callable(work) and name.startswith(("official_", "our_", "floor_"))
}


def answer(name: str, result: Any, folder: Path) -> Any:
    """What a piece of work found, as a pandas frame that can be compared with another client's."""
    import pandas as pd
    import pyarrow.parquet as pq

    if name == "our_listing":
        return result.to_pandas()
    if name == "our_export":
        return pq.read_table(folder / "dataset" / "history").to_pandas()
    if name == "official_exports":
        return result.to_pandas()
    return pd.DataFrame(result)


@contextmanager
def _watched(phases: Phases | None) -> Iterator[None]:
    if phases is None:
        yield
        return
    with phases:
        yield


def _size(result: Any) -> int:
    rows = getattr(result, "rows", None)
    return rows if isinstance(rows, int) else len(result)


def main(name: str, folder: Path, *, phases: bool, keep: bool) -> None:
    """Does the work and prints its seconds, rows and peak memory as JSON."""
    work = WORKS[name](folder)
    watch = Phases() if phases else None
    start, cpu = time.perf_counter(), time.process_time()
    with _watched(watch):
        result = work()
    seconds, spent = time.perf_counter() - start, time.process_time() - cpu
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = {
        "seconds": seconds,
        "cpu": spent,
        "rows": _size(result),
        "memory": own * 1024,
        "phases": watch.shares() if watch else None,
        "hot": watch.hot.most_common(25) if watch else None,
    }
    if keep:
        answer(name, result, folder).to_parquet(folder / f"{name}.parquet")
    print(json.dumps(said))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), phases="--phases" in sys.argv, keep="--keep" in sys.argv)
