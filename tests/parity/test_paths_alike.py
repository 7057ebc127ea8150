"""Generated paths of every kind: both clients take them for the same thing, or both refuse them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from case import Raised, attempt, differences
from cases_sweeps import sweep
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stage import Stage

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PLAYED = settings(
    max_examples=25, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@dataclass(frozen=True)
class Form:
    """A kind of path.

    Attributes:
        call: what is done with one.
        show: what it was taken for.
        ask: asks for what is there, where the call itself asks nothing.
        names: parts to make paths of; SWEEP stands for the id of a sweep.
        good: paths that have to be found.
    """

    call: Callable[[Any, str], Any]
    show: Callable[[Any], Any]
    names: list[str]
    good: list[str]
    ask: Callable[[Any], Any] | None = None


FORMS = {
    "project": Form(
        lambda api, path: api.runs(path), lambda runs: [runs.entity, runs.project],
        ["local", "par", "lab", "none", "", " ", "runs"], ["par", "local/par"], list,
    ),
    "sweep": Form(
        lambda api, path: api.sweep(path), lambda found: [found.entity, found.project, found.id],
        ["local", "par", "SWEEP", "sweeps", "none", "", " "],
        ["par/SWEEP", "local/par/SWEEP", "local/par/sweeps/SWEEP", "par:SWEEP", "/local/par/SWEEP/"],
    ),
    "artifact": Form(
        lambda api, path: api.artifact(path), lambda found: found.qualified_name,
        ["local", "par", "data", "data:v0", "data:first", "zoo:champion", "none", "", " ", "v0"],
        ["par/data:v0", "local/par/data:v0", "par/data", "local/par/zoo:champion"],
    ),
    "collection": Form(
        lambda api, path: api.artifact_collection("dataset", path),
        lambda found: [found.entity, found.project, found.name],
        ["local", "par", "data", "data:v0", "derived", "none", "", " "], ["par/data", "local/par/derived"],
    ),
    "report": Form(
        lambda api, path: api.reports(path), lambda found: [found.project.entity, found.project.name],
        ["local", "par", "lab", "none", "", " ", "reports"], ["par", "local/par"], list,
    ),
    "any": Form(
        lambda api, path: api.from_path(path), lambda found: [type(found).__name__, found.entity, found.id],
        ["local", "par", "SWEEP", "sweeps", "logger", "runs", "reports", "Title--Vmlldzox", "none", "", " "],
        ["par", "local/par", "local/par/logger", "local/par/runs/logger", "local/par/sweeps/SWEEP",
         "local/par/reports/Title--Vmlldzox"],
    ),
}  # fmt: skip


def paths(form: Form) -> st.SearchStrategy[str]:
    parts = st.lists(st.sampled_from(form.names), min_size=1, max_size=5)
    return st.tuples(st.sampled_from(["", "", "/"]), parts, st.sampled_from(["", "", "/", ":", ":x"])).map(
        lambda drawn: drawn[0] + "/".join(drawn[1]) + drawn[2]
    )


def taken(api: Any, form: Form, path: str) -> Any:
    """What a path is taken for."""
    api.flush()
    found = attempt(lambda: form.call(api, path))
    return found if isinstance(found, Raised) else attempt(lambda: form.show(found))


@pytest.fixture(scope="module")
def sweep_id(stage: Stage) -> str:
    return str(sweep(stage.official).id)


@pytest.mark.parametrize("kind", FORMS)
def test_the_documented_forms_are_found(stage: Stage, sweep_id: str, kind: str) -> None:
    for path in (path.replace("SWEEP", sweep_id) for path in FORMS[kind].good):
        mine, theirs = (taken(api, FORMS[kind], path) for api in (stage.ours, stage.official))
        assert mine == theirs and not isinstance(mine, Raised)


@pytest.mark.parametrize("kind", FORMS)
@PLAYED
@given(data=st.data())
def test_a_path_means_the_same(stage: Stage, sweep_id: str, kind: str, data: st.DataObject) -> None:
    form = FORMS[kind]
    path = data.draw(paths(form)).replace("SWEEP", sweep_id)
    mine, theirs = (taken(api, form, path) for api in (stage.ours, stage.official))
    if isinstance(mine, Raised) and form.ask and not isinstance(theirs, Raised):
        # Ours refuses at once what leads nowhere.
        theirs = attempt(lambda: form.ask(form.call(stage.official, path)))  # type: ignore[misc]
    elif mine != theirs and path != path.strip("/ "):
        # Ours forgives slashes and blanks around every path; the official client around some.
        theirs = taken(stage.official, form, path.strip("/ "))
    assert list(differences(mine, theirs)) == [], path
