"""What is shipped is whole, and says what the code says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import runframe

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
REQUIREMENTS = [
    Requirement(line) for line in [*PROJECT["dependencies"], *(one for all_ in EXTRAS.values() for one in all_)]
]
PINNED = {
    canonicalize_name(name): number
    for name, _, number in (line.partition("==") for line in (ROOT / "constraints.txt").read_text().split())
}


def test_the_version_is_said_once() -> None:
    assert PROJECT["version"] == runframe.__version__


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_every_dependency_is_pinned_to_a_version_that_it_allows(requirement: Requirement) -> None:
    assert requirement.specifier.contains(PINNED[canonicalize_name(requirement.name)])


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=str)
def test_every_dependency_has_a_bound(requirement: Requirement) -> None:
    assert {each.operator for each in requirement.specifier} & {">=", "=="}


# Taken where it is there: what only pytest, a notebook, or the official SDK's users have, a second kind of digest, and
# what an extra brings.
OPTIONAL = {"IPython", "duckdb", "fsspec", "pytest", "wandb", "xxhash"}


def test_every_module_that_the_package_imports_is_declared() -> None:
    core = {canonicalize_name(Requirement(line).name) for line in PROJECT["dependencies"]}
    undeclared = {
        (path.relative_to(ROOT).as_posix(), module)
        for path in (ROOT / "src").rglob("*.py")
        if path.parent.name != "demo"  # the script that made the recordings needs the test extra, and says so
        for module in imported(path) - OPTIONAL
        if canonicalize_name({"graphql": "graphql-core", "yaml": "pyyaml"}.get(module, module)) not in core
    }
    assert undeclared == set()


def imported(path: Path) -> set[str]:
    """The top-level modules of other distributions that a file imports, inside functions too."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.partition(".")[0])
    return modules - sys.stdlib_module_names - {"runframe"}


def test_the_constraints_are_exact_versions_and_nothing_else() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
    assert not {"torch", "tensorflow", "jax"} & PINNED.keys()


def test_the_tests_run_with_the_pinned_versions() -> None:
    """Only where the environment was made from the constraints, as `make test` does."""
    try:
        version("runframe")
    except PackageNotFoundError:
        pytest.skip("the package is not installed")
    for name in ("pandas", "polars", "pyarrow", "httpx", "gql", "wandb"):
        assert version(name) == PINNED[name]


def test_the_wheel_holds_what_the_program_reads() -> None:
    package = files("runframe")
    assert (package / "py.typed").is_file()
    schema = {file.name for file in (package / "server" / "schema").iterdir()}
    assert schema >= {"core.graphql", "runs.graphql", "artifacts.graphql", "queues.graphql"}
    assert (package / "resources" / "documents" / "runs.graphql").is_file()


def test_the_license_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert PROJECT["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text


def test_the_command_is_found() -> None:
    module, _, name = PROJECT["scripts"]["runframe"].partition(":")
    assert callable(getattr(__import__(module, fromlist=[name]), name))


def test_the_gate_can_be_run() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_make_help_names_every_target_that_the_pages_name() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    named = set(re.findall(r"`make (\w+)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert named == {"demo", "test", "check", "format"}
    assert all(f"make {target} " in said for target in named)
