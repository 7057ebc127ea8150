"""Exports of histories that the server has as Parquet: the dataset is the one that pages of JSON give."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from runframe import Api
from runframe.export.run_tables import history
from runframe.server import open_local
from runframe.server.demo import recordings


def history_of(api: Api, target: Path) -> Any:
    report = api.export("local/digits", to=target, progress=False)
    assert report.complete and report.gaps == []
    return pq.read_table(target / "history")


def operations(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations that are sent from now on."""
    sent: list[str] = []
    submit = api.client.session.submit

    def note(document: Any, *rest: Any, **options: Any) -> Any:
        sent.append(document.name)
        return submit(document, *rest, **options)

    monkeypatch.setattr(api.client.session, "submit", note)
    return sent


def test_exported_histories_give_the_same_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = tmp_path / "store"
    with open_local(store) as local:
        local.import_logs(recordings())
    with Api(f"local:{store}") as api:
        live = history_of(api, tmp_path / "live")
    with open_local(store) as local:
        compacted = [each for each in local.compact() if each.reason is None]
    # Short histories are one page, and asked for as such.
    monkeypatch.setattr(history, "PAGE_SIZE", 0)
    with Api(f"local:{store}") as api:
        sent = operations(api, monkeypatch)
        exported = history_of(api, tmp_path / "exported")
    assert compacted and sent.count("RunExportedHistory") >= len(compacted)
    assert sent.count("HistoryPage") <= sent.count("RunExportedHistory") - len(compacted)
    assert exported.schema.equals(live.schema)
    assert str(exported.to_pylist()) == str(live.to_pylist())  # NaN equals nothing, but is written as NaN
