"""Columns: record batches, frames, and the flattening of JSON documents; knows Arrow and nothing of HTTP or runs."""

from __future__ import annotations

from runframe.frames.batches import parse_time, to_batch
from runframe.frames.flatten import flatten
from runframe.frames.frame import Frame
from runframe.frames.parquet import ParquetSink
from runframe.frames.provenance import Provenance
from runframe.frames.schema import BOOL, CATEGORY, DOUBLE, INT, JSON, TEXT, TEXTS, TIME, Column, Schema

__all__ = [
    "BOOL",
    "CATEGORY",
    "DOUBLE",
    "INT",
    "JSON",
    "TEXT",
    "TEXTS",
    "TIME",
    "Column",
    "Frame",
    "ParquetSink",
    "Provenance",
    "Schema",
    "flatten",
    "parse_time",
    "to_batch",
]
