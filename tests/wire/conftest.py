"""Sessions for the wire's tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from wire_servers import KEY, QUICK

from runframe.wire import Session


@pytest.fixture
def open_session() -> Iterator[Callable[..., Session]]:
    """Opens sessions: with an app in this process or at a URL; all are closed at the end."""
    with ExitStack() as stack:

        def open_(app_or_url: Any, **options: Any) -> Session:
            options = {"api_key": KEY, "user_agent": "W&B Public Client test", "limits": QUICK, "timeout": 2} | options
            if isinstance(app_or_url, str):
                return stack.enter_context(Session(app_or_url, **options))
            return stack.enter_context(Session("local:test", open_app=lambda: app_or_url, **options))

        yield open_
