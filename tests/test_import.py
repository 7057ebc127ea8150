"""Importing the package is cheap, and its names are there all the same."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import runframe


def test_importing_loads_neither_frames_nor_wire_nor_server() -> None:
    command = [sys.executable, "-X", "importtime", "-c", "import runframe"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    loaded = {line.rpartition("|")[2].strip() for line in said.splitlines()}
    assert "runframe" in loaded
    heavy = {"pandas", "polars", "gql", "graphql", "pyarrow", "httpx", "numpy", "anyio", "starlette", "orjson"}
    assert not loaded & heavy
    assert not {name for name in loaded if name.startswith("runframe.")}


def test_an_api_over_the_network_needs_neither_server_nor_frame_engines() -> None:
    code = (
        "import runframe, sys; runframe.Api; runframe.Runs;"
        "print(sorted({'pandas', 'polars', 'ariadne', 'starlette', 'runframe.server'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


@pytest.mark.parametrize("name", runframe.__all__)
def test_each_public_name_is_found_and_documented(name: str) -> None:
    found = getattr(runframe, name)
    assert found.__doc__
    assert name in dir(runframe)
    assert vars(runframe)[name] is found


def test_public_names_are_what_editors_see() -> None:
    source = importlib.import_module("inspect").getsource(runframe)
    typed = source.partition("if TYPE_CHECKING:")[2].partition("__version__")[0]
    assert all(f" {name}" in typed for name in runframe.__all__)


def test_other_names_are_refused() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = runframe.nonsense
