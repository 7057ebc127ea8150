"""A log folded into a run, its folder's files, and finding logs."""

from __future__ import annotations

import gzip
import json
import os
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runframe import extjson
from runframe.errors import LogError, UsageError
from runframe.offline import find_logs, read_run

from .logwriter import changes, framed, history, item, message, output, record, run, timestamp, write

START = 1_700_000_000
HEADER = record(21, message((1, message((1, "0.31.0+abc")))))


def log(folder: Path, *records: bytes, name: str = "run-abc.wandb") -> Path:
    return write(folder / "offline-run-20231114_221320-abc" / name, HEADER, *records)


def test_a_run_has_what_its_records_say(tmp_path: Path) -> None:
    fields = [
        (2, "team"),
        (3, "proj"),
        (4, changes([item("lr", 0.1), item("_wandb", {})])),
        (6, "g"),
        (7, "train"),
        (8, "name"),
        (9, "two\nlines"),
        (10, "a"),
        (10, "b"),
        (12, "sweep1"),
        (13, "host"),
        (21, message((1, "git@x"), (2, "c0ffee"))),
        (19, message((4, "3.11.7"), (5, "0.31.0"))),
    ]
    folded = read_run(
        log(
            tmp_path,
            run("abc", *fields),
            record(26, message((6, "train.py"), (199, "w1"))),
            record(5, changes([item(("_wandb", "visualize", "v"), {"p": 1})])),
            record(3, changes([item("loss", 0.5), item(("_wandb", "runtime"), 3)])),
            record(10, message((1, "T"), (2, "X"), (3, "WARN"), (4, 60000))),
            record(23, b""),
            record(18, message((1, 3), (2, 4))),
        )
    )
    assert (folded.run_id, folded.entity, folded.project) == ("abc", "team", "proj")
    assert (folded.display_name, folded.group, folded.job_type, folded.notes) == ("name", "g", "train", "two\nlines")
    assert (folded.tags, folded.sweep_id, folded.host, folded.program) == (["a", "b"], "sweep1", "host", "train.py")
    assert (folded.git_remote, folded.git_commit, folded.producer) == ("git@x", "c0ffee", "0.31.0+abc")
    assert folded.started_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert (folded.exit_code, folded.runtime, folded.preempting) == (3, 4.0, True)
    assert folded.updated_at == datetime(2023, 11, 14, 22, 13, 24, tzinfo=UTC)
    assert folded.summary == {"loss": 0.5, "_wandb": {"runtime": 3}}
    assert folded.config == {
        "_wandb": {
            "value": {
                "visualize": {"v": {"p": 1}},
                "cli_version": "0.31.0",
                "python_version": "3.11.7",
                "t": {"4": "3.11.7", "5": "0.31.0", "12": "0.31.0"},
                "m": [],
                "e": {"w1": {"program": "train.py", "writerId": "w1"}},
            }
        },
        "lr": {"value": 0.1},
    }
    assert [(alert.title, alert.level, alert.wait_duration) for alert in folded.alerts] == [("T", "WARN", 60000)]
    assert (folded.tear, folded.remarks) == (None, [])


def test_a_bare_run_has_no_entity_no_project_no_exit(tmp_path: Path) -> None:
    folded = read_run(log(tmp_path, run()))
    assert (folded.entity, folded.project, folded.exit_code, folded.runtime) == (None, None, None, 0.0)


def test_an_exit_record_without_a_code_is_success(tmp_path: Path) -> None:
    assert read_run(log(tmp_path, run(), record(18, b""))).exit_code == 0


def test_a_later_run_record_changes_what_it_names(tmp_path: Path) -> None:
    again = run("abc", (9, "late"), (10, "late"), start=START + 9)
    folded = read_run(log(tmp_path, run("abc", (8, "name"), (10, "early"), (24, True)), again))
    assert (folded.display_name, folded.notes, folded.tags, folded.resume) == ("name", "late", ["late"], True)
    assert folded.started_at.timestamp() == START


def test_a_run_without_an_exit_takes_its_runtime_from_the_summary(tmp_path: Path) -> None:
    folded = read_run(log(tmp_path, run(), record(3, changes([item(("_wandb", "runtime"), 12)]))))
    assert (folded.exit_code, folded.runtime) == (None, 12.0)


def test_history_events_and_console_are_read_again_each_time(tmp_path: Path) -> None:
    stats = record(7, message((2, timestamp(START + 1)), (3, item("cpu", 1.0))))
    rows = [history(item(("x",), step), step=step) for step in range(3)]
    folded = read_run(log(tmp_path, run(), *rows, stats, output("hi\n"), record(27, message((1, "logged\n")))))
    assert (folded.history_rows, folded.event_rows) == (3, 1)
    for _ in range(2):
        assert list(folded.history()) == [f'{{"x":{step},"_step":{step}}}' for step in range(3)]
        assert [extjson.loads(line)["_runtime"] for line in folded.events()] == [1]
        assert list(folded.console()) == ["2023-11-14T22:13:20.000000 hi", "2023-11-14T22:13:20.000000 logged"]


def test_a_long_history_is_never_held_in_memory(tmp_path: Path) -> None:
    rows = [history(item(("x",), "v" * 500), step=step) for step in range(6000)]
    path = log(tmp_path, run(), *rows)
    size = path.stat().st_size
    del rows
    tracemalloc.start()
    folded = read_run(path)
    count = sum(1 for _ in folded.history())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == folded.history_rows == 6000
    assert peak < size / 4


def test_a_torn_log_gives_what_stands_before_the_tear(tmp_path: Path) -> None:
    records = [HEADER, run(), history(item("x", 1)), history(item("x", 2), step=1), record(18, b"")]
    data = framed(records)
    ends = [len(framed(records[:count])) for count in range(len(records) + 1)]
    path = tmp_path / "run-abc.wandb"
    for size in range(ends[2], len(data)):
        path.write_bytes(data[:size])
        folded = read_run(path)
        whole = sum(end <= size for end in ends) - 1
        assert folded.history_rows == len(list(folded.history())) == min(whole - 2, 2)
        assert folded.exit_code is None
        if size in ends:
            assert folded.tear is None
        else:
            assert folded.tear is not None
            assert (folded.tear.offset, folded.tear.records) == (ends[whole], whole)


def test_a_record_that_cannot_be_read_is_a_tear(tmp_path: Path) -> None:
    path = log(tmp_path, run(), record(3, changes([item("x", text="{oops")])), record(18, b""))
    folded = read_run(path)
    assert folded.tear is not None
    assert folded.tear.offset == len(framed([HEADER, run()]))
    assert folded.tear.records == 2
    assert "record 3 cannot be read" in folded.tear.reason
    assert folded.exit_code is None


def test_a_log_that_grows_while_it_is_read_stays_as_it_was(tmp_path: Path) -> None:
    path = log(tmp_path, run(), history(item("x", 1)))
    folded = read_run(path)
    write(path, HEADER, run(), history(item("x", 1)), history(item("x", 2), step=1))
    assert len(list(folded.history())) == 1


def test_a_log_that_was_cut_after_it_was_folded_is_an_error(tmp_path: Path) -> None:
    path = log(tmp_path, run(), history(item("x", 1)), history(item("x", 2)))
    folded = read_run(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(LogError, match="changed while it was read"):
        list(folded.history())


def test_a_damaged_history_record_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    folded = read_run(log(tmp_path, run(), record(2, b"\x0a\x7f")))
    with pytest.raises(LogError, match=r"run-abc\.wandb.*cannot be read"):
        list(folded.history())


@pytest.mark.parametrize("data", [b"", b"no log", framed([HEADER]), framed([HEADER, run("")])])
def test_a_file_that_names_no_run_is_an_error_with_its_path(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.wandb"
    path.write_bytes(data)
    with pytest.raises(LogError, match=r"x\.wandb: ") as caught:
        read_run(path)
    assert caught.value.path == str(path)


def test_unknown_records_are_passed_over_and_counted(tmp_path: Path) -> None:
    folded = read_run(log(tmp_path, run(), record(77, b"\x08\x01"), record(77, b""), record(9, b"")))
    assert folded.remarks == ["2 records of the kind 'number 77' are not read by this version."]


# --- files -----------------------------------------------------------------------------------------------------------


def named(*names: str) -> bytes:
    return record(6, message(*((1, message((1, name))) for name in names)))


def test_the_folder_s_files_are_the_run_s_files(tmp_path: Path) -> None:
    path = log(tmp_path, run(), named("media/images/a.png"))
    for name in ("requirements.txt", "media/images/a.png"):
        (path.parent / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "files" / name).write_text(name)
    (path.parent / "logs").mkdir()
    (path.parent / "logs" / "debug.log").write_text("not a run file")
    files = {file.name: file for file in read_run(path).files}
    assert sorted(files) == ["config.yaml", "media/images/a.png", "requirements.txt", "wandb-summary.json"]
    assert files["media/images/a.png"].read() == b"media/images/a.png"
    assert files["media/images/a.png"].size == 18


def test_what_the_sdk_writes_at_upload_is_made_where_it_is_missing(tmp_path: Path) -> None:
    path = log(tmp_path, run(), record(26, message((1, "Linux"), (199, "w"))), output("a\rb\n"))
    files = {file.name: file for file in read_run(path).files}
    assert json.loads(files["wandb-metadata.json"].read()) == {"os": "Linux", "writerId": "w"}
    assert files["wandb-summary.json"].read() == b"{}"
    assert files["output.log"].read() == b"b\n"
    assert files["config.yaml"].read().startswith(b"_wandb:\n")
    (path.parent / "files").mkdir()
    (path.parent / "files" / "output.log").write_text("from the folder")
    assert {file.name: file.read() for file in read_run(path).files}["output.log"] == b"from the folder"


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\share", "", "a\0b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folded = read_run(log(tmp_path, run(), named(name)))
    assert all(file.source is None for file in folded.files)
    assert folded.remarks == [f"The log names the file {name!r}, which is no path inside the run's folder."]


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    folded = read_run(log(tmp_path, run(), named("model.bin")))
    assert folded.remarks == ["The log names the file 'model.bin', which is not in the run's folder."]


def test_links_are_followed_only_where_the_log_names_them(tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("saved")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner.txt").write_text("inner")
    path = log(tmp_path, run(), named("saved.txt", "broken.txt"))
    files = path.parent / "files"
    files.mkdir()
    (files / "saved.txt").symlink_to(tmp_path / "outside.txt")
    (files / "sneaked.txt").symlink_to(tmp_path / "outside.txt")
    (files / "broken.txt").symlink_to(tmp_path / "nowhere")
    (files / "folder").symlink_to(tmp_path / "folder")
    folded = read_run(path)
    assert [file.name for file in folded.files if file.source] == ["saved.txt"]
    assert folded.remarks == [
        "The file 'broken.txt' is left out: it cannot be read (No such file or directory).",
        "The file 'folder' is left out: it is no regular file.",
        "The file 'sneaked.txt' is left out: it is a link that the log does not name.",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_run_file(tmp_path: Path) -> None:
    path = log(tmp_path, run())
    (path.parent / "files").mkdir()
    os.mkfifo(path.parent / "files" / "pipe")
    assert read_run(path).remarks == ["The file 'pipe' is left out: it is no regular file."]


# --- artifacts -------------------------------------------------------------------------------------------------------


def test_an_artifact_is_decoded_with_its_manifest(tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    staged.write_bytes(b"12345")
    entries = [
        (4, message((1, "a.txt"), (2, "md5=="), (4, 5), (6, str(staged)), (8, True))),
        (4, message((1, "b.txt"), (2, "md5=="), (4, 6), (6, str(staged)))),
        (4, message((1, "r"), (2, "e"), (3, "s3://b/k"), (16, message((1, "etag"), (2, '"e"'))))),
    ]
    manifest = message((1, 1), (2, "policy"), (3, message((1, "storageLayout"), (2, '"V2"'))), *entries)
    fields = [(4, "dataset"), (5, "ds"), (6, "d1"), (8, '{"k":1}'), (11, "latest"), (11, "best"), (12, manifest)]
    used = record(25, message((1, "QQ=="), (2, "model"), (3, "m:v1")))
    artifact_record = record(8, message(*fields, (15, "client"), (16, "sequence"), (19, "t"), (18, -2)))
    folded = read_run(log(tmp_path, run(), artifact_record, used))
    (artifact,) = folded.artifacts
    assert (artifact.type, artifact.name, artifact.digest, artifact.metadata) == ("dataset", "ds", "d1", {"k": 1})
    assert (artifact.aliases, artifact.tags, artifact.ttl) == (("latest", "best"), ("t",), -2)
    assert (artifact.client_id, artifact.sequence_client_id) == ("client", "sequence")
    assert artifact.storage_policy_config == {"storageLayout": "V2"}
    assert artifact.entries is not None
    assert [entry.staged() for entry in artifact.entries] == [staged, None, None]
    assert artifact.entries[2].extra == (("etag", "e"),)
    assert [(use.id, use.type, use.name) for use in folded.used_artifacts] == [("QQ==", "model", "m:v1")]


def test_a_manifest_in_a_file_of_its_own_is_read_or_said_to_be_gone(tmp_path: Path) -> None:
    lines = tmp_path / "manifest.jl.gz"
    with gzip.open(lines, "wt") as file:
        file.write('{"path":"a","digest":"d","size":3,"local_path":"/x","skip_cache":false,"extra":{"k":1}}\n')
    path = log(tmp_path, run(), record(8, message((5, "big"), (12, message((5, str(lines)))))))
    (artifact,) = read_run(path).artifacts
    assert artifact.entries is not None
    assert [(entry.path, entry.size, entry.extra) for entry in artifact.entries] == [("a", 3, (("k", 1),))]
    lines.write_bytes(b"damaged")
    assert "cannot be read" in read_run(path).remarks[0]
    lines.unlink()
    folded = read_run(path)
    assert folded.artifacts[0].entries is None
    assert folded.remarks == ["The manifest of the artifact 'big' lay in a file that is gone."]


# --- finding ---------------------------------------------------------------------------------------------------------


def test_logs_are_found_below_any_folder_each_once_and_in_order(tmp_path: Path) -> None:
    second = write(tmp_path / "wandb" / "offline-run-2-b" / "run-b.wandb", run("b"))
    first = write(tmp_path / "wandb" / "offline-run-1-a" / "run-a.wandb", run("a"))
    (tmp_path / "wandb" / "latest-run").symlink_to(second.parent, target_is_directory=True)
    write(first.parent / "files" / "backup.wandb", run("user file"))
    (first.parent / "run-a.wandb.synced").touch()
    assert find_logs([tmp_path]) == [first, second]
    assert find_logs([tmp_path / "wandb", first, second.parent]) == [first, second]
    assert find_logs([tmp_path / "wandb" / "latest-run"]) == [tmp_path / "wandb" / "latest-run" / "run-b.wandb"]


def test_a_path_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no \.wandb log"):
        find_logs([tmp_path])
    with pytest.raises(UsageError, match="does not exist"):
        find_logs([tmp_path / "missing"])
