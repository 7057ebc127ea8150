"""How much CPU and memory `flatten` takes at 10,000 runs of about 100 keys. Run it; it prints ratios.

CPU is held against `orjson.loads` over the same documents alone, each dropped at once: the least of several runs of
both, taken in turn. Memory is the growth of the process's peak (on Linux), held against the resulting Arrow table.
Each shape has a process of its own. On a busy machine the ratios rise, as the reading alone stays in the processor's
cache and flattening does not.

    python tests/benchmarks/flatten.py [SHAPE …]
"""

from __future__ import annotations

import gc
import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from runframe.frames import flatten
from runframe.frames.decode import collector_paused

RUNS, KEYS = 10_000, 100


def value(kind: int, rng: random.Random) -> Any:
    """A value as configs and summaries hold them: two floats of five, an int, a text, a bool."""
    if kind < 2:
        return rng.random()
    return (rng.randrange(10**6), f"value-{rng.randrange(50)}", rng.random() < 0.5)[kind - 2]


def names(count: int) -> list[str]:
    """Keys of a usual length."""
    return [f"group{number // 10}_key_{number}" for number in range(count)]


def uniform(rng: random.Random) -> Iterator[dict[str, Any]]:
    """All runs have the same keys."""
    for _ in range(RUNS):
        yield {name: value(number % 5, rng) for number, name in enumerate(names(KEYS))}


def wrapped(rng: random.Random) -> Iterator[dict[str, Any]]:
    """The same as configs: each value in its wrapper, a fifth of them nested."""
    for row in uniform(rng):
        plain = {name: {"value": found} for name, found in list(row.items())[:80]}
        nested = {
            f"nested{group}": {"value": dict(list(row.items())[80 + group * 5 : 85 + group * 5])} for group in range(4)
        }
        yield plain | nested


def shuffled(rng: random.Random) -> Iterator[dict[str, Any]]:
    """The same keys in another order each time, as history rows have them."""
    for row in uniform(rng):
        items = list(row.items())
        rng.shuffle(items)
        yield dict(items)


def families(rng: random.Random) -> Iterator[dict[str, Any]]:
    """300 keys in all: ten families of runs, each with 100 of them."""
    sets = [sorted(rng.sample(range(300), KEYS)) for _ in range(10)]
    every = names(300)
    for _ in range(RUNS):
        yield {every[number]: value(number % 5, rng) for number in rng.choice(sets)}


def ragged(rng: random.Random) -> Iterator[dict[str, Any]]:
    """300 keys in all: 60 that all runs have, and 40 others, different ones in each run."""
    every = names(300)
    for _ in range(RUNS):
        chosen = [*range(60), *sorted(rng.sample(range(60, 300), 40))]
        yield {every[number]: value(number % 5, rng) for number in chosen}


def holes(rng: random.Random) -> Iterator[dict[str, Any]]:
    """The same keys, a tenth of the values null, and whole floats without a fraction."""
    for row in uniform(rng):
        for name, found in row.items():
            if rng.random() < 0.1:
                row[name] = 0 if isinstance(found, float) and rng.random() < 0.5 else None
        yield row


def histories(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Rows of a history: 100 metrics, of which a tenth are NaN or infinite, written as bare tokens."""
    every = names(KEYS)
    odd = (math.nan, math.inf, -math.inf)
    for step in range(RUNS):
        row = {name: rng.choice(odd) if rng.random() < 0.1 else rng.random() for name in every}
        yield {**row, "_step": step, "_runtime": step * 0.5, "_timestamp": 1.7e9 + step}


def configs(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Configs of several programs: wrapped, nested, lists among them, 300 keys in all, 94 values a run."""
    every = names(300)
    for _ in range(RUNS):
        chosen = [*range(20), *sorted(rng.sample(range(20, 300), 60))]
        plain = {every[number]: {"value": value(number % 5, rng), "desc": None} for number in chosen}
        optimizer = {"name": "adamw", "lr": rng.random(), "betas": [0.9, 0.999], "schedule": {"warmup": 100}}
        model = {f"layer_{number}": value(number % 5, rng) for number in range(9)}
        yield {**plain, "optimizer": {"value": optimizer}, "model": {"value": model}}


SHAPES = {make.__name__: make for make in (uniform, wrapped, shuffled, families, ragged, holes, histories, configs)}
KINDS = {"wrapped": "config", "configs": "config", "histories": "row"}


def source_of(name: str) -> tuple[list[str], Any]:
    """The documents of a shape as texts, and as a table with one JSON column."""
    texts = [json.dumps(row, separators=(",", ":")) for row in SHAPES[name](random.Random(1))]
    kind = KINDS.get(name, "summary")
    field = pa.field(kind, pa.json_(), metadata={b"runframe.document": kind.encode()})
    storage = pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))
    return texts, pa.Table.from_arrays([storage], schema=pa.schema([field]))


def floor(texts: list[str]) -> None:
    """Reads the documents and does nothing with them; orjson takes no bare NaN, so those are read as numbers."""
    loads = orjson.loads
    for text in texts:
        loads(text)


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def kilobytes(field: str) -> int:
    """A field of this process's memory, in kB; 0 where the system does not say."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith(field)), 0)


def memory(source: Any) -> tuple[int, Any]:
    """How many bytes the process's peak rises over what it has, and the table."""
    flatten(source.slice(0, 100)).to_arrow()
    gc.collect()
    pa.default_memory_pool().release_unused()
    peak = Path("/proc/self/clear_refs")
    if peak.exists():
        peak.write_text("5")
    before = kilobytes("VmRSS")
    table = flatten(source).to_arrow()
    return (kilobytes("VmHWM") - before) * 1024, table


def measure(name: str, times: int = 9) -> None:
    """Prints the ratios of one shape."""
    texts, source = source_of(name)
    read = [text.replace("-Infinity", "1.5").replace("Infinity", "1.5").replace("NaN", "1.5") for text in texts]
    grown, table = memory(source)
    least = used = math.inf
    for _ in range(times):
        with collector_paused():
            least = min(least, seconds(lambda: floor(read)))
        used = min(used, seconds(lambda: flatten(source).to_arrow()))
    print(  # noqa: T201
        f"{name:9s} {sum(map(len, texts)) / 1e6:5.1f} MB, {table.num_columns} columns: "
        f"CPU {used:.3f} s / {least:.3f} s = {used / least:.2f}, "
        f"memory {grown / 1e6:.0f} MB / {table.nbytes / 1e6:.0f} MB = {grown / table.nbytes:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure(sys.argv[2])
    else:
        for name in sys.argv[1:] or SHAPES:
            subprocess.run([sys.executable, __file__, "--one", name], check=True)
