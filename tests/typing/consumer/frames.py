"""Frames, flattening and provenance, as a user's program has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, assert_type

import pandas as pd
import polars as pl
import pyarrow as pa

import runframe
from runframe import Frame, FrameError, aggregate, align, flatten
from runframe.frames import Provenance


def exits(frame: Frame, folder: Path) -> tuple[pa.Table, pa.Table, pa.Schema, pa.RecordBatch]:
    assert_type(frame.columns, list[str])
    assert_type(frame.num_rows, int)
    assert_type(len(frame), int)
    assert_type(frame.to_polars(), pl.DataFrame)
    assert_type(frame.to_pandas(), pd.DataFrame)
    assert_type(frame.to_pandas("pyarrow"), pd.DataFrame)
    assert_type(frame.to_pandas(dtype_backend="numpy_nullable"), pd.DataFrame)
    assert_type(frame.to_parquet(folder / "runs.parquet"), Path)
    assert_type(frame.to_parquet("runs.parquet"), Path)
    assert_type(frame.require_complete(), Frame)
    table: pa.Table = frame.to_arrow()
    conflicts: pa.Table = frame.conflicts
    schema: pa.Schema = frame.schema
    batches: Iterator[pa.RecordBatch] = frame.to_batches()
    return table, conflicts, schema, next(batches)


def misuse(frame: Frame) -> None:
    # Each comment is needed: a checker that finds no error in its line complains of the comment.
    frame.to_pandas("numpy")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    frame.to_csv("runs.csv")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    flatten(frame, on_conflict="ignore")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    flatten()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    frame.columns = []  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def flattening(table: pa.Table) -> Frame:
    assert_type(flatten(table), Frame)
    assert_type(runframe.flatten(table, ["id"], {"config.lr": pa.float64()}, "null"), Frame)
    assert_type(flatten(table, schema=pa.schema([]), on_conflict="error"), Frame)
    assert_type(Frame.from_arrow(table, Provenance("complete", "e/p")), Frame)
    return flatten(pl.DataFrame({"j": ["{}"]}), documents=["j"], nulls=True, memory_budget=2**20)


def series(histories: Frame) -> Frame:
    aligned = align(histories, "_step", grid="union", method="linear")
    assert_type(aligned, Frame)
    assert_type(aggregate(aligned, by=["config.lr"], over="config.seed", level=0.9), Frame)
    return aligned


def provenance(frame: Frame) -> str | None:
    said = frame.provenance
    assert_type(said, Provenance | None)
    if said is None:
        return None
    assert_type(said.completeness, Literal["complete", "sampled", "live", "unread"])
    assert_type(said.source, str | None)
    assert_type(said.rows, int | None)
    assert_type(said.server_rows, int | None)
    assert_type(said.watermark, datetime | None)
    assert_type(said.conflicts, int)
    assert_type(said.to_metadata(), dict[bytes, bytes])
    try:
        frame.require_complete()
    except FrameError as error:
        assert_type(error.path, str | None)
    return said.gap


def own(batches: list[Any], schema: pa.Schema) -> Frame:
    return Frame(schema, lambda: batches, Provenance("sampled"), num_rows=3)
