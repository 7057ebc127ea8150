"""docs/api.md lists what is documented: each method of `Api` with its signature, each class with its members."""

from __future__ import annotations

import re
from pathlib import Path

from documented import MEMBERS, TABLE, api_methods, api_properties
from runframe import Api

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    lines = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_method_is_listed_with_its_signature_and_its_state() -> None:
    signatures = [line.removeprefix(".") for line in TABLE.read_text(encoding="utf-8").splitlines() if "(" in line]
    assert [row[0] for row in rows("Api")] == [f"`{text}`" for text in [*signatures, *api_properties()]]
    assert all(row[1] and row[2] for row in rows("Api"))


def test_what_is_listed_is_there_and_nothing_public_is_left_out() -> None:
    [of_our_own] = re.findall(r"^Of our own: (.*)$", PAGE, re.MULTILINE)
    listed = {*api_methods(), *api_properties(), *re.findall(r"`(\w+)\(", of_our_own)} - {"__init__"}
    assert listed == {name for name in vars(Api) if not name.startswith("_")}


def test_every_class_is_listed_with_its_members_and_its_state() -> None:
    listed = {re.findall(r"`(\w+)`", row[0])[0]: re.findall(r"`(\w+)`", row[1]) for row in rows("What they return")}
    assert listed == MEMBERS
    assert all(row[2] for row in rows("What they return"))


def test_links_within_the_page_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w -]", "", line.lstrip("# ")).lower().replace(" ", "-")
        for line in PAGE.splitlines()
        if line.startswith("#")
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", PAGE)) <= headings != set()


def test_what_is_said_not_to_be_built_is_not() -> None:
    said = PAGE.partition("### Not built")[2]
    names = re.findall(r"`(?:Api\.)?(\w+)`", said.partition(": they are not")[0])
    assert len(names) == 13 and [name for name in names if hasattr(Api, name)] == []
