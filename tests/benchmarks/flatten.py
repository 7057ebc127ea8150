"""How much CPU `flatten` takes, against reading the same documents with orjson alone. Run it; it prints ratios."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator
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


def seconds(work: Callable[[], object], times: int = 5) -> float:
    """The least CPU time of some runs."""
    best = float("inf")
    for _ in range(times):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def measure(make: Callable[[random.Random], Iterator[dict[str, Any]]], kind: str) -> None:
    """Prints the ratio for one kind of documents."""
    texts = [orjson.dumps(row).decode() for row in make(random.Random(1))]
    storage = pa.array(texts, pa.string())
    field = pa.field("config", pa.json_(), metadata={b"runframe.document": kind.encode()})
    source = pa.Table.from_arrays([pa.ExtensionArray.from_storage(pa.json_(), storage)], schema=pa.schema([field]))

    def floor() -> None:
        for text in texts:
            orjson.loads(text)

    with collector_paused():
        least = seconds(floor)
    used = seconds(lambda: flatten(source).to_arrow())
    pa.default_memory_pool().release_unused()
    table = flatten(source).to_arrow()
    print(  # noqa: T201
        f"{make.__name__:9s} {sum(map(len, texts)) / 1e6:5.1f} MB  orjson {least:6.3f} s  flatten {used:6.3f} s  "
        f"{used / least:4.2f}x  table {table.nbytes / 1e6:5.1f} MB  {table.num_columns} columns"
    )


if __name__ == "__main__":
    for make in (uniform, wrapped, shuffled, families, ragged, holes):
        if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
            measure(make, "config" if make is wrapped else "summary")
