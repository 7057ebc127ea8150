"""The program that type checkers read in `make check` uses everything public, and says what it expects."""

from __future__ import annotations

import ast
from pathlib import Path

import runframe

CONSUMER = Path(__file__).parent / "consumer"
TREES = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CONSUMER.glob("*.py"))]


def test_every_public_name_is_used_in_it() -> None:
    used = {node.id for tree in TREES for node in ast.walk(tree) if isinstance(node, ast.Name)}
    imported = {
        alias.name
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "runframe"
        for alias in node.names
    }
    assert set(runframe.__all__) - (imported & used) == set()


def test_it_says_what_types_it_expects() -> None:
    calls = [
        node.func.id
        for tree in TREES
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    assert calls.count("assert_type") > 80
