"""`runframe demo`: the main job, end to end, on the recorded runs that ship with the package."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runframe.cli.output import count, size
from runframe.cli.tables import table_lines

if TYPE_CHECKING:
    import polars as pl

# What the leaderboard shows of each run, and where it is in the dataset.
BOARD = {
    "id": "run",
    "name": "name",
    "state": "state",
    "config.optimizer.lr": "lr",
    "summary.val/accuracy.max": "best accuracy",
    "summary.val/accuracy.last": "last accuracy",
    "rows": "rows",
}


def demo(
    dir: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the store and the dataset go.")] = Path(
        "demo"
    ),
) -> None:
    """Do the main job on real recorded runs.

    Imports the recorded trainings into a local store, lists them as a frame, exports runs and complete histories to
    Parquet, reads the dataset back with polars and prints the leaderboard.
    """
    store, dataset = dir / "store", dir / "dataset"
    typer.echo("16 models learn scikit-learn's digits: real runs, logged by the official SDK in offline mode\n")
    path = _import(store)
    _export(store, path, dataset)
    board = _read_back(dataset)
    typer.echo()
    for line in table_lines(board.columns, board.to_dicts()):
        typer.echo("  " + line)
    typer.echo()
    _say_where(store, dataset, path)


def _import(store: Path) -> str:
    """Read the recordings into the store; returns the project's path."""
    from runframe.server import open_local
    from runframe.server.demo import recordings

    with _step("imported") as step, open_local(store) as local:
        runs = local.import_logs(recordings())
        files = sum(run.files for run in runs)
        step.result = f"{count(len(runs), '.wandb log')}: {count(sum(run.rows for run in runs), 'step')}, {files} files"
    return runs[0].run_path.rpartition("/")[0]


def _export(store: Path, path: str, dataset: Path) -> None:
    """List the runs as a frame, and write everything as Parquet."""
    from runframe import Api
    from runframe.export import export_project

    with Api(f"local:{store}") as api:
        with _step("listed") as step:
            frame = api.runs(path).frame()
            step.result = f"{count(len(frame), 'run')} as a frame of {count(len(frame.columns), 'typed column')}"
        with _step("exported") as step:
            report = export_project(api, path, to=dataset, progress=False)
            step.result = (
                f"{count(report.runs, 'run')}, {count(report.rows, 'history row')}, {size(report.bytes)} of Parquet"
            )


def _read_back(dataset: Path) -> pl.DataFrame:
    """The leaderboard, from the dataset alone."""
    with _step("read back") as step:
        import polars as pl

        runs = pl.read_parquet(dataset / "runs" / "*.parquet")
        history = pl.scan_parquet(dataset / "history" / "*.parquet")
        steps = history.group_by("run_id").agg(rows=pl.len()).collect()
        board = runs.join(steps, left_on="id", right_on="run_id", how="left")
        step.result = f"{count(board.height, 'run')}, {count(int(board['rows'].sum()), 'history row')} with polars"
        best_first = board.sort("summary.val/accuracy.max", descending=True, nulls_last=True)
        return best_first.select(pl.col(column).alias(title) for column, title in BOARD.items()).with_columns(
            pl.col("best accuracy", "last accuracy").round(4)
        )


def _say_where(store: Path, dataset: Path, path: str) -> None:
    command = _command()
    for what, line in (
        ("Dataset", f"{dataset}/runs/*.parquet, {dataset}/history/*.parquet, {dataset}/manifest.json"),
        ("Store", f'{store}, opened by runframe.Api("local:{store}")'),
        ("Look", f"{command} runs {path} --base-url local:{store}"),
        ("Serve", f"{command} serve --dir {store}"),
    ):
        typer.echo(f"  {what:<9}{line}")


def _command() -> str:
    """How this command was called, so that the lines above can be pasted."""
    called = Path(sys.argv[0])
    return "python -m runframe" if called.name == "__main__.py" else _relative(called)


def _relative(path: Path) -> str:
    """The path as it is shortest from here; a command on the PATH by its name alone."""
    import shutil

    found = shutil.which(path.name)
    if found is not None and Path(found).resolve() == path.resolve():
        return path.name
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


@dataclass
class _Step:
    result: str = ""


@contextmanager
def _step(name: str) -> Iterator[_Step]:
    """One stage: its name, what came of it and how long it took, when it is done."""
    began = time.monotonic()
    step = _Step()
    yield step
    typer.echo(f"  {name:<11}{step.result:<58}{time.monotonic() - began:>6.2f} s")
