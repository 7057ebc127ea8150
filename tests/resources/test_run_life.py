"""Runs are made, stopped, requeued; files are put into them; their pages are shown."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from runframe import Api, CommError, IncompleteRunHistoryError, NotFoundError, Run, ServerError
from runframe.resources.uploads import stored_name
from runframe.server import LocalServer


def test_a_pending_run_waits_for_somebody(fresh: Api) -> None:
    run = Run.create(fresh, "queued", "digits", state="pending")
    fresh.flush()
    assert (run.state, fresh.run("digits/queued").state) == ("pending", "pending")
    assert fresh.runs("digits", {"state": "pending"})[0].id == "queued"


def test_a_state_moves_only_where_it_may(fresh: Api) -> None:
    run = fresh.run("digits/empty")
    assert run.update_state("pending") is True
    assert run.state == "pending"
    with pytest.raises(ServerError, match="finished"):
        fresh.run("digits/run-1").update_state("pending")
    with pytest.raises(ServerError, match="bogus"):
        run.update_state("bogus")
    assert run.state == "pending"


def test_a_run_hears_that_it_should_stop(fresh: Api) -> None:
    run = fresh.create_run("live", "digits")
    stream = f"/files/{run.entity}/digits/live/file_stream"
    assert b'"stopped":true' not in fresh.client.session.post(stream, b"{}")
    assert run.stop() is None
    assert b'"stopped":true' in fresh.client.session.post(stream, b"{}")


def test_a_deleted_run_says_so_everywhere(fresh: Api) -> None:
    run = fresh.run("digits/run-1")
    run.delete()
    for action in (run.stop, run.delete, run.update, run.wait_until_finished):
        with pytest.raises(CommError):
            action()
    with pytest.raises(NotFoundError, match="run-1"):
        run.scan_history()
    assert run.lastHistoryStep == -1


def test_a_file_is_put_where_its_path_says(fresh: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "work" / "ünner"
    inner.mkdir(parents=True)
    (inner / "a b.txt").write_text("höh", encoding="utf-8")
    (inner / "empty").touch()
    monkeypatch.chdir(inner)
    run = fresh.run("digits/run-1")
    file = run.upload_file("a b.txt")
    assert (file.name, file.size, file.run) == ("a b.txt", 4, run)
    assert file.md5 == b64encode(hashlib.md5("höh".encode()).digest()).decode()
    assert run.upload_file("a b.txt", root="..").name == "ünner/a b.txt"
    assert run.upload_file(str(inner / "empty"), root=str(tmp_path)).size == 0
    assert sorted(each.name for each in run.files()) == [
        "a b.txt", "media/a/b.txt", "report.json", "work/ünner/empty", "ünner/a b.txt",
    ]  # fmt: skip
    (inner / "a b.txt").write_text("new", encoding="utf-8")
    run.upload_file("a b.txt")
    with run.file("a b.txt").download(str(tmp_path / "back")) as back:
        assert back.read() == "new"


@pytest.mark.parametrize(
    ("path", "root", "name"),
    [("/a/b/c.txt", "/a", "b/c.txt"), ("/a/c.txt", "/a/b", "__/c.txt"), ("/c.txt", "/a/b", "__/__/c.txt")],
)
def test_a_name_never_leads_out_of_the_run(path: str, root: str, name: str) -> None:
    assert stored_name(Path(path), Path(root)) == name


def test_what_cannot_be_read_is_not_announced(fresh: Api, tmp_path: Path) -> None:
    run = fresh.run("digits/run-1")
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(CommError, match=path.name):
            run.upload_file(str(path))
    assert len(run.files()) == 2


def test_exported_files_are_fetched_as_they_are(runframe_api: Api, runframe_store: LocalServer, tmp_path: Path) -> None:
    run = runframe_api.create_run("ended", "p")
    rows = [json.dumps({"_step": step, "loss": 1 / (step + 1)}) for step in range(5)]
    body = {"files": {"wandb-history.jsonl": {"offset": 0, "content": rows}}, "complete": True, "exitcode": 0}
    runframe_api.client.session.post("/files/local/p/ended/file_stream", json.dumps(body).encode())
    runframe_store.compact()
    found = run.download_history_exports(tmp_path / "new" / "folder")
    assert (found.contains_live_data, found.errors) == (False, {})
    assert found.paths == [tmp_path / "new" / "folder" / "local_p_ended_0.runhistory.parquet"]
    assert pq.read_table(found.paths[0]).column("loss").to_pylist() == [1 / (step + 1) for step in range(5)]


def test_a_server_without_exports_says_so(fresh: Api, tmp_path: Path) -> None:
    run = fresh.run("digits/run-1")
    with pytest.raises(IncompleteRunHistoryError, match="run-1"):
        run.download_history_exports(tmp_path / "exports")
    assert not (tmp_path / "exports").exists()
    found = run.download_history_exports(tmp_path / "exports", require_complete_history=False)
    assert (found.paths, found.contains_live_data, found.errors) == ([], True, {})
    assert fresh.run("digits/empty").download_history_exports(tmp_path / "exports").contains_live_data is False


def test_the_page_of_an_object_can_be_shown(api: Api) -> None:
    run = api.run("digits/run-1")
    assert run.url in run.to_html(height=99)
    assert "height:99px" in run.to_html(99)
    assert run.to_html(hidden=True).startswith("<button") and "display:none" in run.to_html(hidden=True)
    assert "workspace" in api.project("digits")._repr_html_()
    assert (run.display(), run.file("report.json").to_html()) == (False, None)
