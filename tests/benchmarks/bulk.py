"""The bars of a bulk export: ours and the official client, in turn, each piece of work in a fresh process.

``python tests/benchmarks/bulk.py`` prints the table of `docs/performance.md`; ``--only listing --repeat 1`` one row of
it. The server is a stub that serves bytes rendered before, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
KEY = "a" * 40


@dataclass(frozen=True)
class Bar:
    """One row of the table: our work, the other's, and how many times faster ours is to be (below 1: slower)."""

    name: str
    ours: str
    other: str
    at_least: float


@dataclass(frozen=True)
class Scene:
    """A server's state, and the bars that are measured on it.

    Attributes:
        name: what `--only` calls it.
        stub: the stub's arguments.
        bars: the rows of the table.
    """

    name: str
    stub: dict[str, Any]
    bars: list[Bar]
    phases: str = field(default="")


def scenes(runs: int, history_runs: int, steps: int) -> list[Scene]:
    """All scenes of the table, in the sizes asked for."""
    histories = {"runs": history_runs, "steps": steps}
    return [
        Scene(
            "listing", {"runs": runs, "latency": 0.05},
            [
                Bar("runs → flattened frame, 50 ms latency, against the recipe", "our_listing", "official_listing", 15),
                Bar("the same against the recipe at its best", "our_listing", "official_listing_best", 4),
                Bar("the same against fetching and orjson alone", "our_listing", "floor_listing", 1 / 2.5),
            ],
        ),
        Scene(
            "exported", {**histories, "exported": True},
            [
                Bar("exported histories → Parquet dataset, against scan_history", "our_export", "official_scan", 60),
                Bar("the same against download_history_exports and reading", "our_export", "official_exports", 1),
            ],
        ),
        Scene(
            "live", histories,
            [Bar("live histories → Parquet dataset, against scan_history", "our_export", "official_scan", 12)],
        ),
    ]  # fmt: skip


@contextmanager
def stub(**options: Any) -> Iterator[str]:
    """A stub server's address."""
    arguments = [text for name, value in options.items() for text in _argument(name, value)]
    command = [sys.executable, str(HERE / "bulk_stub.py"), *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()
            process.wait(10)


def _argument(name: str, value: Any) -> list[str]:
    return [f"--{name}"] if value is True else [f"--{name}", str(value)]


def work(name: str, url: str, runs: int, *, phases: bool = False, keep: Path | None = None) -> dict[str, Any]:
    """Has one piece of work done in a fresh process and home; what it took, with requests and bytes.

    Its answer stays in `keep` as `NAME.parquet`, where that is given.
    """
    home = Path(tempfile.mkdtemp(prefix="bulk-"))
    try:
        _stats(url)
        options = ["--phases"] * phases + ["--keep"] * (keep is not None)
        command = [sys.executable, str(HERE / "bulk_work.py"), name, str(keep or home), *options]
        done = subprocess.run(command, env=_environment(url, home, runs), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stderr[-3000:]}")
        return {**json.loads(done.stdout.splitlines()[-1]), **_stats(url)}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _environment(url: str, home: Path, runs: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    return kept | {
        "PYTHONPATH": os.pathsep.join([str(SOURCE), str(HERE)]), "HOME": str(home), "NETRC": str(home / "netrc"),
        "WANDB_BASE_URL": url, "WANDB_API_KEY": KEY, "WANDB_CACHE_DIR": str(home / "cache"), "WANDB_DIR": str(home),
        "WANDB_CONFIG_DIR": str(home), "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false", "BULK_RUNS": str(runs),
    }  # fmt: skip


def _stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/-/stats") as answer:
        counts: dict[str, Any] = json.load(answer)
    return counts


def median(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Of several measurements, the one with the median seconds, and the most memory of all."""
    middle = sorted(found, key=lambda each: each["seconds"])[len(found) // 2]
    return {
        **middle,
        "seconds": statistics.median(each["seconds"] for each in found),
        "memory": max(each["memory"] for each in found),
    }


def measure(scene: Scene, repeat: int, others: int) -> dict[str, dict[str, Any]]:
    """Each piece of work of a scene, in turn, so that a busy minute hits all of them."""
    names = list(dict.fromkeys(name for bar in scene.bars for name in (bar.ours, bar.other)))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    with stub(**scene.stub) as url:
        for turn in range(max(repeat, others)):
            for name in names:
                if turn < (others if name.startswith("official") else repeat):
                    found[name].append(work(name, url, scene.stub["runs"]))
                    sys.stderr.write(f"{scene.name} {name}: {found[name][-1]['seconds']:.2f} s\n")
        result = {name: median(each) for name, each in found.items()}
        ours = scene.bars[0].ours
        result[ours]["phases"] = work(ours, url, scene.stub["runs"], phases=True)["phases"]
    counts = {each["rows"] for each in result.values()}
    if len(counts) > 1:
        raise RuntimeError(
            f"the clients do not agree on the rows: { {name: each['rows'] for name, each in result.items()} }"
        )
    return result


def table(scene: Scene, found: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The scene's rows as Markdown."""
    for bar in scene.bars:
        ours, other = found[bar.ours], found[bar.other]
        ratio = other["seconds"] / ours["seconds"]
        wanted = f"{bar.at_least:g}×" if bar.at_least >= 1 else f"within {1 / bar.at_least:g}×"
        shown = f"{ratio:.1f}×" if bar.at_least >= 1 else f"{1 / ratio:.2f}×"
        met = "met" if ratio >= bar.at_least else "**missed**"
        cells = [
            bar.name, _took(ours), _took(other), shown, wanted, met,
            f"{ours['memory'] / 1e6:.0f} · {other['memory'] / 1e6:.0f} MB",
        ]  # fmt: skip
        yield "| " + " | ".join(cells) + " |"


def _took(found: dict[str, Any]) -> str:
    return f"{found['seconds']:.2f} s · {found['requests']:,} requests · {found['bytes'] / 1e6:.1f} MB"


HEAD = "| work | ours | theirs | ratio | wanted | | peak memory |\n|---|---|---|---|---|---|---|"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="one scene: listing, exported or live")
    parser.add_argument("--repeat", type=int, default=5, help="how often each of ours is done; the median counts")
    parser.add_argument("--others", type=int, help="the same for the official client; as often as ours by default")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--history-runs", type=int, default=50)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--work", help="do one piece of work of the scene (--only), and print all that is known of it")
    given = parser.parse_args()
    chosen = [
        each for each in scenes(given.runs, given.history_runs, given.steps) if given.only in (None, each.name)
    ]  # fmt: skip
    if given.work:
        with stub(**chosen[0].stub) as url:
            for phases in (False, True):
                for _ in range(given.repeat if not phases else 1):
                    print(json.dumps(work(given.work, url, chosen[0].stub["runs"], phases=phases)))  # noqa: T201
        return
    print(HEAD)  # noqa: T201
    for scene in chosen:
        found = measure(scene, given.repeat, given.repeat if given.others is None else given.others)
        print("\n".join(table(scene, found)))  # noqa: T201
        ours = found[scene.bars[0].ours]
        spent = " · ".join(f"{name} {seconds:.2f} s" for name, seconds in ours["phases"].items())
        print(f"\nWhere our time goes ({scene.name}): {spent}\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
