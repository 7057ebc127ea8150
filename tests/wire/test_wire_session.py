"""A session's life: its loop starts late, ends surely, survives forks and pickles, and shares nothing."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import anyio
import pytest
from wire_servers import KEY, VIEWER, answer, served

from runframe.errors import UsageError
from runframe.wire import Session

Open = Callable[..., Session]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers every query with the number of this process."""
    if scope["type"] == "http":
        await answer(send, {"data": {"pid": os.getpid()}})


def make_app() -> Any:
    """Opens the app; a function of a module, so that it pickles."""
    return app


class Store:
    """An in-process server that brings its own key and is closed."""

    api_key = "1" * 40

    def __init__(self) -> None:
        self.opened_on = threading.current_thread().name
        self.closed = 0
        self.keys: list[str] = []

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.keys += [value.decode() for name, value in scope["headers"] if name == b"authorization"]
            await answer(send, {"data": {}})

    def close(self) -> None:
        self.closed += 1


OTHERS: set[threading.Thread] = set()
"""The loops that ran before a test began: sessions that other files' fixtures hold until the end."""


@pytest.fixture(autouse=True)
def only_own_threads_count() -> None:
    OTHERS.clear()
    OTHERS.update(threading.enumerate())


def threads() -> list[str]:
    return [thread.name for thread in {*threading.enumerate()} - OTHERS if thread.name == "runframe-wire"]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def new(**options: Any) -> Session:
    return Session("local:x", **({"api_key": KEY, "user_agent": "test", "open_app": make_app} | options))


def test_nothing_starts_before_the_first_request() -> None:
    with new():
        assert threads() == []


def test_closing_ends_the_loop_and_is_final() -> None:
    session = new()
    session.execute(VIEWER)
    assert len(threads()) == 1
    session.close()
    session.close()
    assert threads() == []
    with pytest.raises(UsageError, match="closed"):
        session.execute(VIEWER)


def test_a_session_that_was_never_used_can_be_closed() -> None:
    session = new()
    session.close()
    with pytest.raises(UsageError, match="closed"):
        session.execute(VIEWER)


def test_a_session_that_nobody_holds_ends() -> None:
    session = new()
    session.execute(VIEWER)
    del session
    gc.collect()
    deadline = time.monotonic() + 5
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads() == []


def test_an_in_process_server_is_opened_on_the_loop_and_closed_with_it() -> None:
    store = Store()
    with new(open_app=lambda: store, api_key=None) as session:
        session.execute(VIEWER)
        assert store.closed == 0
    assert store.closed == 1
    assert store.keys == ["Basic YXBpOjExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="]


def test_a_store_that_cannot_be_opened_raises_its_own_error_each_time() -> None:
    def refuse() -> Any:
        raise UsageError("there is no store")

    with new(open_app=refuse) as session:
        for _ in range(2):
            with pytest.raises(UsageError, match="there is no store"):
                session.execute(VIEWER)
    assert threads() == []


def test_two_sessions_share_nothing() -> None:
    first, second = new(), new()
    with second:
        with first:
            first.execute(VIEWER)
            second.execute(VIEWER)
            assert len(threads()) == 2
        assert second.execute(VIEWER) == {"pid": os.getpid()}


def test_it_works_under_a_running_loop() -> None:
    async def main() -> dict[str, Any]:
        with new() as session:
            return session.execute(VIEWER)

    assert asyncio.run(main()) == {"pid": os.getpid()}


def test_many_threads_may_use_one_session() -> None:
    results: list[dict[str, Any]] = []
    with new() as session:
        users = [threading.Thread(target=lambda: results.append(session.execute(VIEWER))) for _ in range(16)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        assert len(threads()) == 1
    assert len(results) == 16


def test_requests_run_side_by_side() -> None:
    together = 0
    most = 0

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        nonlocal together, most
        if scope["type"] == "http":
            together += 1
            most = max(most, together)
            await anyio.sleep(0.05)
            together -= 1
            await answer(send, {"data": {}})

    with new(open_app=lambda: slow) as session:
        futures: list[Future[dict[str, Any]]] = [session.submit(VIEWER) for _ in range(4)]
        for future in futures:
            future.result()
    assert most == 4


async def stuck(scope: Any, receive: Any, send: Any) -> None:
    """Never answers."""
    if scope["type"] == "http":
        await anyio.sleep_forever()


def test_closing_ends_requests_in_flight() -> None:
    session = new(open_app=lambda: stuck)
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            session.execute(VIEWER)
        except UsageError as error:
            caught.append(error)

    user = threading.Thread(target=ask)
    user.start()
    while not threads():
        time.sleep(0.01)
    time.sleep(0.05)
    began = time.monotonic()
    session.close()
    user.join(5)
    assert [str(error) for error in caught] == ["the session with local:x was closed during a request"]
    assert time.monotonic() - began < 3


def test_a_request_whose_future_is_cancelled_ends() -> None:
    ended = threading.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            try:
                await anyio.sleep_forever()
            finally:
                ended.set()

    with new(open_app=lambda: waiting) as session:
        future = session.submit(VIEWER)
        time.sleep(0.1)
        future.cancel()
        assert ended.wait(2)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs a signal for one thread")
def test_ctrl_c_ends_the_request_that_was_waited_for() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            try:
                begun.set()
                await anyio.sleep_forever()
            finally:
                ended.set()

    def interrupt() -> None:
        begun.wait(5)
        time.sleep(0.2)  # on a busy machine the request begins before the main thread waits for it
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    with new(open_app=lambda: waiting) as session:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            session.execute(VIEWER)
        assert ended.wait(2)


def test_it_pickles_as_its_settings() -> None:
    with new(timeout=7) as session:
        session.execute(VIEWER)
        with pickle.loads(pickle.dumps(session)) as copy:
            assert (copy.base_url, copy.timeout, copy.limits) == ("local:x", 7, session.limits)
            assert copy.execute(VIEWER) == {"pid": os.getpid()}
            assert len(threads()) == 2


def test_its_repr_holds_no_key() -> None:
    with new() as session:
        assert repr(session) == "Session('local:x')"


def ask_and_close(session: Session, results: Any) -> None:
    results.put(session.execute(VIEWER))
    session.close()


def in_forked_child(session: Session) -> Any:
    """What a forked child finds with a session of its parent; the child is gone afterwards."""
    context = multiprocessing.get_context("fork")
    receiver = context.SimpleQueue()
    child = context.Process(target=ask_and_close, args=(session, receiver))
    child.start()
    try:
        child.join(20)
        assert child.exitcode == 0
        return receiver.get()
    finally:
        child.kill()
        child.join()
        receiver.close()


no_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
with_threads = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")


@no_fork
@with_threads
@pytest.mark.parametrize("used", [True, False])
def test_a_forked_child_starts_a_loop_of_its_own(used: bool) -> None:
    with new() as session:
        if used:
            session.execute(VIEWER)
        assert in_forked_child(session)["pid"] != os.getpid()
        assert session.execute(VIEWER) == {"pid": os.getpid()}, "the parent's loop still works"


@no_fork
@with_threads
def test_a_forked_child_leaves_the_parents_connections_alone() -> None:
    with served(app) as url, Session(url, api_key=KEY, user_agent="test") as session:
        session.execute(VIEWER)
        for _ in range(2):
            assert in_forked_child(session) == {"pid": os.getpid()}
            assert session.execute(VIEWER) == {"pid": os.getpid()}


def test_a_program_that_does_not_close_its_session_still_ends_and_closes_the_store(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        from pathlib import Path
        from runframe.wire import Document, Session

        class Store:
            async def app(self, scope, receive, send):
                if scope["type"] == "http":
                    await send({{"type": "http.response.start", "status": 200, "headers": []}})
                    await send({{"type": "http.response.body", "body": b'{{"data": {{}}}}'}})
            def close(self):
                Path({str(tmp_path / "closed")!r}).touch()

        session = Session("local:x", api_key=None, user_agent="test", open_app=Store)
        session.execute(Document("query Viewer {{ viewer {{ id }} }}"))
        """
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "closed").exists()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted under /proc")
def test_thirty_sessions_leave_neither_threads_nor_descriptors() -> None:
    with served(app) as url:
        with Session(url, api_key=KEY, user_agent="test") as first:
            first.execute(VIEWER)
        gc.collect()
        before = descriptors()
        for _ in range(30):
            with Session(url, api_key=KEY, user_agent="test") as session:
                session.execute(VIEWER)
        gc.collect()
        # The server closes its ends a moment later.
        deadline = time.monotonic() + 5
        while descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.05)
        assert descriptors() <= before
    assert threads() == []
