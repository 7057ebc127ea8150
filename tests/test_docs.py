"""The pages are programs: their code runs, and prints what they say it prints.

After a change of what is printed, `python tests/test_docs.py` brings the pages up to date; read the difference.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COLUMNS = re.compile(r"(?<=<!-- columns: )(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
SEPARATOR = "---- the next block ----\n"
CHANGING = re.compile(r"[0-9.]+ (s|kB)\b")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and where the text stands in the page."""

    language: str
    text: str
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    return [Block(found[1], found[2], *found.span(2)) for found in BLOCK.finditer(page)]


def shown(page: str, folder: Path, environment: dict[str, str]) -> list[tuple[Block, str]]:
    """The blocks that show output, each with what really comes out: the page's commands first, then its code."""
    environment = {**environment, "WANDB_CACHE_DIR": str(folder / "cache")}
    commands = [block.text.partition("\n")[0] for block in blocks(page) if block.language == "console"]
    said = iter([f"{command}\n{called(command, folder, environment)}" for command in commands])
    codes = [block.text for block in blocks(page) if block.language == "python"]
    printed = iter(executed(codes, folder, environment))
    results, latest = [], ""
    for block in blocks(page):
        if block.language == "python":
            latest = next(printed)
        elif block.language == "text":
            results.append((block, latest))
        elif block.language == "console":
            results.append((block, next(said)))
    return results


def called(command: str, folder: Path, environment: dict[str, str]) -> str:
    """What a `$ runframe …` line prints."""
    words = shlex.split(command)
    assert words[:2] == ["$", "runframe"], command
    call = [sys.executable, "-m", "runframe", *words[2:]]
    return subprocess.run(call, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def executed(codes: list[str], folder: Path, environment: dict[str, str]) -> list[str]:
    """What each block of one program prints."""
    program = f"print({SEPARATOR!r}, end='')\n".join(codes)
    call = [sys.executable, "-W", "error", "-c", program]
    said = subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr
    return said.stdout.split(SEPARATOR)


def steady(text: str) -> str:
    """A text without what differs from one machine to the next: seconds and sizes."""
    return CHANGING.sub(r"… \1", text)


def process_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POLARS_")}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *filter(None, sys.path)]), "COLUMNS": "120"}


def schemas() -> dict[str, Callable[[], str]]:
    from runframe import (
        Agents,
        ArtifactCollections,
        ArtifactFiles,
        Artifacts,
        ArtifactTypes,
        ConsoleLogs,
        Files,
        Jobs,
        Members,
        Projects,
        QueuedRuns,
        Reports,
        Runs,
        Sweeps,
        Users,
    )
    from runframe.frames.melt import LONG

    nouns: tuple[Any, ...] = (ConsoleLogs, Jobs, Members, Projects, QueuedRuns, Reports, Runs, Sweeps, Users, Files)
    nouns += (Artifacts, ArtifactTypes, ArtifactCollections, ArtifactFiles, Agents)
    return {schema.name.replace(" ", "_"): schema.markdown for schema in (*(noun.SCHEMA for noun in nouns), LONG)}


@pytest.fixture
def folder(demo_folder: Path, tmp_path: Path) -> Path:
    """A folder of one's own with `demo/store`."""
    shutil.copytree(demo_folder / "demo", tmp_path / "demo")
    return tmp_path


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_prints_what_it_says(path: Path, folder: Path) -> None:
    for block, really in shown(path.read_text(encoding="utf-8"), folder, process_environment()):
        assert steady(block.text) == steady(really)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_tables_of_columns_are_the_declared_ones(path: Path) -> None:
    for name, _, table in COLUMNS.findall(path.read_text(encoding="utf-8")):
        assert table == schemas()[name]()


@pytest.mark.parametrize("path", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_command_is_documented() -> None:
    said = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    for command in ("runs", "export", "sync", "clone", "serve", "import"):
        assert f"runframe {command} " in said


def update(path: Path, folder: Path) -> None:
    """Write into a page what its code prints now."""
    page = path.read_text(encoding="utf-8")
    for block, really in reversed(shown(page, folder, process_environment())):
        if steady(block.text) != steady(really):
            page = page[: block.start] + really + page[block.end :]
    page = COLUMNS.sub(lambda found: found[1] + found[2] + schemas()[found[1]](), page)
    path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    from runframe.server import open_local
    from runframe.server.demo import recordings

    for each in PAGES:
        with tempfile.TemporaryDirectory() as temporary:
            with open_local(Path(temporary) / "demo" / "store") as local:
                local.import_logs(recordings())
            update(each, Path(temporary))
