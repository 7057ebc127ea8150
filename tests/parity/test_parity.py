"""The table of cases, played by `runframe.Api` and by the official client on the same server."""

from __future__ import annotations

import pytest
from case import Cases, Raised, Read, Write, differences, documented_members
from cases_accounts import CASES as ACCOUNTS
from cases_api import CASES as API
from cases_artifacts import CASES as ARTIFACTS
from cases_collections import CASES as COLLECTIONS
from cases_drafts import CASES as DRAFTS
from cases_files import CASES as FILES
from cases_histories import CASES as HISTORIES
from cases_life import CASES as LIFE
from cases_listings import CASES as LISTINGS
from cases_projects import CASES as PROJECTS
from cases_queues import CASES as QUEUES
from cases_reports import CASES as REPORTS
from cases_runs import CASES as RUNS
from cases_sweeps import CASES as SWEEPS
from stage import Stage

from documented import api_methods, api_properties

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported, used and closed.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

TABLES: list[Cases] = [
    API, PROJECTS, RUNS, LIFE, LISTINGS, HISTORIES, FILES, ARTIFACTS, COLLECTIONS, DRAFTS, SWEEPS, REPORTS, QUEUES,
    ACCOUNTS,
]  # fmt: skip
TABLE = [
    pytest.param(member, about, case, id=f"{member}: {about}")
    for table in TABLES
    for member, cases in table.items()
    for about, case in cases.items()
]


@pytest.mark.parametrize(("member", "about", "case"), TABLE)
def test_both_clients_give_and_see_the_same(stage: Stage, member: str, about: str, case: Read | Write) -> None:
    mine, theirs = stage.play(member, about, case)
    if isinstance(case, Write):
        found = [*differences(theirs, case.expect, "the official client sees")]
        found += differences(mine, case.expect, "we see")
    else:
        found = list(differences(mine, theirs))
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_a_difference_is_noticed() -> None:
    error = Raised(frozenset({"CommError"}), "")
    pairs = [(1, 1.0), (1, 2), ([1], [1, 2]), ({"a": 1}, {"b": 1}), (error, 1), (1, error), ("", None), (True, 1)]
    assert [bool(list(differences(*pair))) for pair in pairs] == [True] * len(pairs)
    both = Raised(frozenset({"CommError", "ValueError"}), "")
    assert list(differences(both, error)) == [] != list(differences(error, both))
    assert list(differences([float("nan")], [float("nan")])) == []


def test_every_documented_member_has_a_case(stage: Stage) -> None:
    for parameters in TABLE:
        stage.play(*parameters.values)  # type: ignore[arg-type]
    shown = {member for table in TABLES for member in table} | stage.shower.seen
    of_api = {f"Api.{name}" for name in [*api_methods(), *api_properties()]}
    assert sorted((of_api | documented_members()) - shown) == []
