"""What artifacts, aliases, tags, metadata and entries may be."""

from __future__ import annotations

import math
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest

from runframe import Artifact, CommError
from runframe.resources.artifacts.names import (
    check_aliases,
    check_tags,
    entry_path,
    is_version,
    split_version,
    to_metadata,
)


@pytest.mark.parametrize("name", ["a", "A-b_c.9", "x" * 128])
def test_a_name_is_letters_digits_dashes_underscores_and_dots(name: str) -> None:
    assert Artifact(name, "dataset").name == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "ü", "x" * 129])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="can't be called"):
        Artifact(name, "dataset")


@pytest.mark.parametrize(
    ("name", "kind"), [("x", "job"), ("x", "wandb-y"), ("run-1-t", "run_table"), ("source-1", "code")]
)
def test_types_that_the_server_makes_are_reserved(name: str, kind: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        Artifact(name, kind)


def test_types_are_reserved_only_for_names_that_the_server_gives() -> None:
    assert Artifact("mine", "run_table").type == "run_table"
    assert Artifact("mine", "code").type == "code"


def test_text_is_one_alias_and_one_tag() -> None:
    assert check_aliases("best") == ["best"]
    assert check_tags("big one") == ["big one"]
    assert check_aliases(["a", "b", "a"]) == ["a", "b"]
    assert check_tags(["a", "b", "a"]) == ["a", "b"]


@pytest.mark.parametrize("alias", ["a/b", "a:b", "", 5])
def test_an_alias_has_no_slash_and_no_colon(alias: Any) -> None:
    with pytest.raises(ValueError, match="alias"):
        check_aliases([alias])


@pytest.mark.parametrize("tag", ["", " a", "a ", "a/b", "a,b", 5])
def test_a_tag_is_words(tag: Any) -> None:
    with pytest.raises(ValueError, match="tag"):
        check_tags([tag])


@pytest.mark.parametrize(("alias", "said"), [("v0", True), ("v12", True), ("v", False), ("vx", False), ("x1", False)])
def test_a_version_is_told_from_an_alias(alias: str, said: bool) -> None:
    assert is_version(alias) is said


def test_a_version_stands_apart_from_the_aliases() -> None:
    assert split_version(["latest", "v3", "best"], "here") == ("v3", ["latest", "best"])
    with pytest.raises(ValueError, match=r"here has several versions.*v1, v2"):
        split_version(["v1", "v2"], "here")


def test_metadata_becomes_plain_json() -> None:
    given = {"n": np.float32(1.5), "t": (1, 2), 5: {"x": math.nan}, "a": np.arange(3)}
    assert to_metadata(given) == {"n": 1.5, "t": [1, 2], "5": {"x": None}, "a": [0, 1, 2]}
    assert to_metadata('{"a": 1}') == {"a": 1}
    assert to_metadata(None) == to_metadata("") == to_metadata({}) == {}


@pytest.mark.parametrize("metadata", [[1], 5, "[1]", {"f": object()}])
def test_metadata_of_another_kind_is_a_type_error(metadata: Any) -> None:
    with pytest.raises(TypeError):
        to_metadata(metadata)


@pytest.mark.parametrize("metadata", [{"a": math.inf}, {"a": [{"b": -math.inf}]}, {str(i): i for i in range(101)}])
def test_metadata_that_cannot_be_stored_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="metadata"):
        to_metadata(metadata)


@pytest.mark.parametrize(
    ("name", "path"), [("./c//d", "c/d"), ("a\\b", "a\\b"), (PurePosixPath("x/y"), "x/y"), ("ü/é", "ü/é")]
)
def test_a_path_is_relative_with_single_slashes(name: str, path: str) -> None:
    assert entry_path(name) == path


@pytest.mark.parametrize("name", ["/abs", "../x", "a/../b", "C:/x", "..\\x", ".", ""])
def test_a_path_that_leads_out_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="path in an artifact") as caught:
        entry_path(name)
    assert isinstance(caught.value, CommError)
