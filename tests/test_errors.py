"""The error tree: the names that users of the official client catch, and what is caught by them."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import runframe
from runframe import Api, errors
from runframe.testing import Server

# Name, and everything besides `Error` that an `except` clause may say and still catch it.
CAUGHT = {
    "Error": (Exception,),
    "CommError": (),
    "AuthenticationError": (errors.CommError,),
    "UsageError": (),
    "UnsupportedError": (errors.UsageError,),
    "RunNotFoundError": (ValueError, errors.CommError, errors.NotFoundError),
    "IncompleteRunHistoryError": (),
    "WandbApiFailedError": (errors.CommError,),
    "WandbCoreNotAvailableError": (),
    "ArtifactStatusError": (AttributeError,),
    "ArtifactNotLoggedError": (errors.ArtifactStatusError, AttributeError),
    "ArtifactFinalizedError": (errors.ArtifactStatusError, AttributeError),
    "WaitTimeoutError": (),
}
OFFICIAL = ("wandb.errors", "wandb.apis.public", "wandb.apis.public.runs", "wandb.sdk.artifacts.exceptions",
            "wandb.sdk.lib.service.service_connection")  # fmt: skip


@pytest.mark.parametrize("name", CAUGHT)
def test_each_name_is_there_and_in_the_tree(name: str) -> None:
    kind = getattr(errors, name)
    assert kind is getattr(runframe, name) and name in runframe.__all__
    assert issubclass(kind, runframe.Error)
    assert [base for base in CAUGHT[name] if not issubclass(kind, base)] == []
    assert kind.__doc__


@pytest.mark.sdk
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", CAUGHT)
def test_what_catches_the_official_error_catches_ours(name: str) -> None:
    import importlib

    homes = [importlib.import_module(module) for module in OFFICIAL]
    [official] = {getattr(home, name) for home in homes if hasattr(home, name)}
    ours = getattr(errors, name)
    for base in official.__mro__[1:]:
        same = getattr(errors, base.__name__, base)
        assert issubclass(ours, same), base


@pytest.mark.sdk
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_official_modules_of_errors_have_no_further_names() -> None:
    import wandb
    from wandb.sdk.artifacts import exceptions

    for name in wandb.errors.__all__:
        assert name in CAUGHT
    internal = {"TooFewItemsError", "TooManyItemsError"}  # by their own words
    found = {name for name, kind in vars(exceptions).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert found - internal <= CAUGHT.keys()
    assert [name for name in ("Error", "CommError", "UsageError") if not hasattr(wandb, name)] == []


def test_errors_carry_what_the_official_ones_carry() -> None:
    plain = runframe.Error("said", {"more": 1})
    assert (str(plain), plain.message, plain.context, plain.path) == ("said", "said", {"more": 1}, None)
    assert runframe.UsageError("said").context == {}
    cause = OSError("below")
    comm = runframe.CommError("said", cause)
    assert (comm.message, comm.exc, comm.response, comm.status) == ("said", cause, None, None)
    again = pickle.loads(pickle.dumps(errors.ServerError("said", status=503, path="e/p")))
    assert (again.message, again.status, again.path, again.response.http_status) == ("said", 503, "e/p", 503)


# What is raised, and caught.


@pytest.fixture
def api(runframe_api: Api) -> Api:
    runframe_api.create_run("r", "p")
    return runframe_api


MISSING: dict[str, Callable[[Api], Any]] = {
    "run": lambda api: api.run("p/nothing"),
    "runs": lambda api: list(api.runs("nowhere")),
    "artifact": lambda api: api.artifact("p/nothing:v0"),
    "artifact type": lambda api: api.artifact_type("nothing", "p"),
    "artifact collection": lambda api: api.artifact_collection("dataset", "p/nothing"),
    "file": lambda api: api.run("p/r").file("").download(),
    "team": lambda api: api.team("nobody"),
    "projects": lambda api: list(api.projects("nobody")),
}
WRONG: dict[str, Callable[[Api], Any]] = {
    "path": lambda api: api.run("a/b/c/d/e"),
    "artifact name": lambda api: api.artifact("a/b/c/d"),
    "key": lambda api: api.viewer.delete_api_key("nothing"),
}


@pytest.mark.parametrize("case", [*MISSING, *WRONG])
@pytest.mark.parametrize("name", ["Error", "CommError", "ValueError"])
def test_what_is_missing_or_wrong_is_caught_by_each_name(api: Api, case: str, name: str) -> None:
    kind: type[Exception] = getattr(errors, name, ValueError)
    with pytest.raises(kind):
        {**MISSING, **WRONG}[case](api)


def test_a_missing_run_is_told_from_other_missing_things(api: Api) -> None:
    with pytest.raises(runframe.RunNotFoundError) as missing:
        api.run("p/nothing")
    assert missing.value.path == "local/p/nothing" and "nothing" in missing.value.message
    gone = api.run("p/r")
    gone.delete()
    for call in (lambda: gone.load(force=True), gone.history, gone.wait_until_finished):
        with pytest.raises(runframe.RunNotFoundError):
            call()
    with pytest.raises(runframe.NotFoundError) as other:
        api.artifact("p/nothing:v0")
    assert not isinstance(other.value, runframe.RunNotFoundError)


def test_an_artifact_of_another_type_is_a_value_error_and_an_api_error(api: Api, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    draft = runframe.Artifact("data", "dataset")
    draft.add_file(str(tmp_path / "file"))
    draft.save("p", api=api)
    for kind in (ValueError, runframe.CommError):
        with pytest.raises(kind, match="dataset"):
            api.artifact("p/data:v0", type="model")


def test_a_refusal_says_what_the_server_answered(runframe_server: Server) -> None:
    key = runframe_server.local.add_user("ada")
    with Api({"base_url": runframe_server.url}, api_key=key) as ada:
        with pytest.raises(runframe.WandbApiFailedError) as refused:
            ada.create_user("x@example.org")
        assert refused.value.response is not None and refused.value.response.http_status == 200
        assert "is no admin" in refused.value.response.message
        with pytest.raises(runframe.CommError) as malformed:
            ada.client.execute("query { nonsense }")
        assert malformed.value.status == 400
    with pytest.raises(runframe.AuthenticationError) as unknown:
        Api({"base_url": runframe_server.url}, api_key="x" * 40)
    assert unknown.value.response is not None and unknown.value.response.http_status == 401


async def _not_there(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"nothing of that name"})


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """A server that is none of W&B's."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_not_there, log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


def test_a_missing_page_is_an_answer_and_silence_is_none(elsewhere: str) -> None:
    with pytest.raises(runframe.NotFoundError, match="nothing of that name") as missing:
        Api({"base_url": elsewhere}, api_key="x" * 40)
    assert missing.value.response is not None and missing.value.response.http_status == 404
    assert isinstance(missing.value, runframe.AuthenticationError)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(runframe.TransportError) as silent:
        Api({"base_url": f"http://127.0.0.1:{port}"}, timeout=1, api_key="x" * 40)
    assert silent.value.response is None and isinstance(silent.value.exc, Exception)
    assert isinstance(silent.value, runframe.AuthenticationError)
