"""A folder of event files becomes a finished run that both clients read."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_files import histogram, image, picture, scalar, sound, tensor, train, write
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from runframe import Api, CommError, UsageError
from runframe.server import LocalServer
from runframe.testing import Server, serving


def rows(run: Any) -> list[dict[str, Any]]:
    return list(run.scan_history())


def test_a_training_becomes_a_run(runframe_api: Api, tmp_path: Path) -> None:
    run = runframe_api.sync_tensorboard(str(train(tmp_path / "logs")), run_id="tb", project="p")
    assert (run.path, run.state, run.history_line_count) == (["local", "p", "tb"], "finished", 12)
    assert run.config == {"lr": 0.1, "opt": "sgd", "flag": True}
    found = rows(run)
    assert [row["_step"] for row in found] == [row["global_step"] for row in found] == list(range(12))
    assert [row["train/loss"] for row in found] == pytest.approx([1 / (step + 1) for step in range(12)])
    assert [row["global_step"] for row in found if "validation/loss" in row] == [0, 4, 8]
    assert found[0]["train/opt/lr"] == 0.1
    assert found[4]["train/note/text_summary"] == "hello **ü**"
    assert found[8]["train/trial/best"] == 0.5
    assert run.summary["train/loss"] == pytest.approx(1 / 12)
    assert (run.summary["global_step"], run.summary["validation/loss"]) == (11, pytest.approx(1 / 9 + 1))
    assert runframe_api.run("p/tb").state == "finished"


def test_one_row_holds_what_all_folders_logged_at_a_step(runframe_api: Api, tmp_path: Path) -> None:
    run = runframe_api.sync_tensorboard(train(tmp_path / "logs"), project="p")
    both = list(run.scan_history(keys=["train/loss", "validation/loss", "global_step"]))
    assert [row["global_step"] for row in both] == [0, 4, 8]
    assert len(run.id) == 8


def test_media_and_event_files_are_files_of_the_run(runframe_api: Api, tmp_path: Path) -> None:
    logs = train(tmp_path / "logs")
    run = runframe_api.sync_tensorboard(logs, project="p")
    row = rows(run)[4]
    sample = row["train/sample"]
    assert {name: sample[name] for name in ("_type", "width", "height", "format", "count")} == {
        "_type": "images/separated", "width": 6, "height": 4, "format": "png", "count": 1,
    }  # fmt: skip
    curve = rows(run)[8]["train/pr"]
    assert (curve["_type"], curve["ncols"]) == ("table-file", 2)
    with run.file(curve["path"]).download(str(tmp_path / "back")) as file:
        table = json.load(file)
    assert table["columns"] == ["recall", "precision"] and len(table["data"]) == curve["nrows"]
    assert run.rawconfig["_wandb"]["visualize"]["train/pr"]["panel_config"]["panelDefId"] == "wandb/line/v0"
    names = {file.name: file for file in run.files()}
    events = list(logs.rglob("*tfevents*"))
    assert {path.relative_to(logs).as_posix() for path in events} | {sample["filenames"][0], curve["path"]} <= set(
        names
    )
    for path in events:
        assert names[path.relative_to(logs).as_posix()].size == path.stat().st_size
    run.file(sample["filenames"][0]).download(str(tmp_path / "back"), replace=True).close()
    assert (tmp_path / "back" / sample["filenames"][0]).read_bytes().startswith(b"\x89PNG")
    assert run.metadata is not None and run.metadata["root"] == str(logs.resolve())


def test_every_kind_of_value_has_its_form(runframe_api: Api, tmp_path: Path) -> None:
    counts = np.array([[0, 1, 3], [1, 2, 4]], np.float32)
    values = [
        scalar("nan", math.nan), scalar("inf", -math.inf), scalar("a.b/c d ü", 0.1),
        histogram("open", [1, 2, 1.7e308], [1, 2, 3], 0, 3), histogram("torch", [0, 1, 2], [0, 2, 3], 0, 2),
        tensor("v2", counts, "histograms"), tensor("none", np.zeros((0, 3)), "histograms"),
        tensor("scalar", np.float32(0.1), "scalars"), tensor("big", np.int64(2**60)),
        tensor("vector", np.array([1.5, 2.5])), tensor("flags", np.array([True, False])),
        tensor("words", np.array([[b"a", b"b"]], object), "text"),
        tensor("word", np.array([b"\xc3\xbc"], object), "text"),
        tensor("pictures", np.array([b"6", b"4", picture(1), picture(2)], object), "images"),
        image("gif", picture(3, "gif")), sound("beep", b"RIFF"),
        tensor("beeps", np.array([[b"RIFF1", b"low"], [b"RIFF2", b"high"]], object), "audio"),
        tensor("many", np.arange(5000, dtype=np.float32)), scalar("_step", 7.0),
    ]  # fmt: skip
    write(tmp_path / "logs", (5, 100.0, values))
    run = runframe_api.sync_tensorboard(tmp_path / "logs", project="p")
    (row,) = rows(run)
    assert math.isnan(row["nan"]) and row["inf"] == -math.inf
    assert (row["a.b/c d ü"], row["scalar"], row["big"]) == (0.1, 0.1, 2**60)
    assert row["open"] == {"_type": "histogram", "bins": [0.0, 1.0, 2.0, 3.0], "values": [1.0, 2.0, 3.0]}
    assert row["torch"] == {"_type": "histogram", "bins": [0.0, 1.0, 2.0], "values": [2.0, 3.0]}
    assert row["v2"] == {"_type": "histogram", "bins": [0.0, 1.0, 2.0], "values": [3.0, 4.0]}
    assert row["none"] == {"_type": "histogram", "bins": [], "values": []}
    assert (row["vector"], row["flags"], row["words"], row["word"]) == ([1.5, 2.5], [True, False], [["a", "b"]], "ü")
    assert (row["pictures"]["count"], len(row["pictures"]["filenames"]), row["gif"]["format"]) == (2, 2, "gif")
    assert (row["beep"]["_type"], row["beep"]["size"]) == ("audio-file", 4)
    assert [sound["caption"] for sound in row["beeps"]["audio"]] == ["low", "high"]
    assert sum(row["many"]["values"]) == 5000 and row["many"]["_type"] == "histogram"
    assert (row["_step"], row["global_step"], row["tensorboard/_step"]) == (0, 5, 7.0)
    assert (row["_timestamp"], row["_runtime"]) == (100.0, 0.0)


def test_what_was_logged_twice_at_a_step_is_there_twice(runframe_api: Api, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    write(logs, (0, 10.0, [scalar("loss", 1)]), (1, 11.0, [scalar("loss", 0.5)]), (2, 12.0, [scalar("loss", 9)]))
    write(logs, (2, 20.0, [scalar("loss", 0.25)]), (3, 21.0, [scalar("loss", 0.125)]))
    run = runframe_api.sync_tensorboard(logs, project="p")
    assert [(row["_step"], row["global_step"], row["loss"]) for row in rows(run)] == [
        (0, 0, 1.0), (1, 1, 0.5), (2, 2, 9.0), (3, 2, 0.25), (4, 3, 0.125),
    ]  # fmt: skip


def test_sessions_that_contradict_each_other_stay_apart(runframe_api: Api, tmp_path: Path) -> None:
    from tensorboardX import SummaryWriter

    for trial, lr in (("a", 0.1), ("b", 0.2)):
        with SummaryWriter(str(tmp_path / "logs" / trial)) as writer:
            writer.add_hparams({"lr": lr, "kind": "sgd"}, {"acc": lr}, name="session")
    run = runframe_api.sync_tensorboard(tmp_path / "logs", project="p")
    assert run.config == {"a/session": {"lr": 0.1, "kind": "sgd"}, "b/session": {"lr": 0.2, "kind": "sgd"}}


def test_a_torn_file_is_read_up_to_its_tear_and_said_so(runframe_api: Api, tmp_path: Path) -> None:
    made = write(tmp_path / "logs" / "train", *[(step, 1.0, [scalar("loss", step)]) for step in range(5)])
    made.write_bytes(made.read_bytes()[:-3])
    said = rf"train/{made.name} is torn at byte \d+ \(the file ends inside a record\); 5 records"
    with pytest.warns(UserWarning, match=said) as warned:
        run = runframe_api.sync_tensorboard(tmp_path / "logs", project="p")
    assert warned[0].filename == __file__
    assert [row["train/loss"] for row in rows(run)] == [0, 1, 2, 3]
    assert run.state == "finished"


def test_what_has_no_form_in_a_row_is_named(runframe_api: Api, tmp_path: Path) -> None:
    made = write(tmp_path / "logs", (0, 1.0, [scalar("loss", 1), tensor("layout", b"\x08\x01", "custom_scalars")]))
    writer = EventFileWriter(str(tmp_path / "logs" / "graph"))
    writer.add_event(Event(step=0, wall_time=1.0, graph_def=b"graph"))
    writer.close()
    with pytest.warns(UserWarning, match="no rows of 1 × custom_scalars, 1 × graph_def"):
        run = runframe_api.sync_tensorboard(tmp_path / "logs", project="p")
    assert run.file(made.name).size == made.stat().st_size


def test_one_file_can_be_named(runframe_api: Api, tmp_path: Path) -> None:
    made = write(tmp_path / "logs" / "train", (0, 1.0, [scalar("loss", 1)]))
    assert rows(runframe_api.sync_tensorboard(made, project="p"))[0]["loss"] == 1.0


def test_the_project_is_the_one_that_is_set(runframe_api: Api, tmp_path: Path) -> None:
    write(tmp_path / "logs", (0, 1.0, [scalar("loss", 1)]))
    assert runframe_api.sync_tensorboard(tmp_path / "logs").project == "uncategorized"
    runframe_api.settings["project"] = "mine"
    assert runframe_api.sync_tensorboard(tmp_path / "logs").project == "mine"


def test_a_run_is_written_anew(runframe_api: Api, tmp_path: Path) -> None:
    write(tmp_path / "long", *[(step, 1.0, [scalar("old", step)]) for step in range(9)])
    write(tmp_path / "short", (0, 1.0, [scalar("new", 1)]))
    runframe_api.sync_tensorboard(tmp_path / "long", run_id="tb", project="p")
    run = runframe_api.sync_tensorboard(tmp_path / "short", run_id="tb", project="p")
    assert [row["new"] for row in rows(run)] == [1.0]
    assert "old" not in run.summary and run.history_line_count == 1


@pytest.mark.parametrize("kind", ["missing", "empty", "strange file", "nothing logged"])
def test_where_nothing_is_there_is_nothing_sent(runframe_api: Api, tmp_path: Path, kind: str) -> None:
    root = tmp_path / kind
    if kind == "strange file":
        root.write_text("not an event file")
    elif kind != "missing":
        root.mkdir()
    if kind == "nothing logged":
        write(root)
    with pytest.raises(UsageError, match=kind) as caught:
        runframe_api.sync_tensorboard(root, project="p")
    assert isinstance(caught.value, ValueError)
    assert list(runframe_api.projects("local")) == []


def test_a_file_of_another_kind_is_torn_at_its_beginning(runframe_api: Api, tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.host").write_bytes(b"something else entirely")
    with pytest.raises(UsageError, match="torn at byte 0"):
        runframe_api.sync_tensorboard(tmp_path, project="p")


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    write(tmp_path / "logs", (0, 1.0, [scalar("loss", 1)]))
    program = (
        "import sys; sys.modules['tensorboard'] = None\n"
        "from pathlib import Path\n"
        "from runframe.server import open_local\n"
        "from runframe import Api, UsageError\n"
        "open_local('store').close()\n"
        "try: Api('local:store').sync_tensorboard('logs', project='p')\n"
        "except UsageError as error: print(error)\n"
    )
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert 'pip install "runframe[tensorboard]"' in said


def test_tensorflow_is_not_loaded(tmp_path: Path) -> None:
    write(tmp_path / "logs", (0, 1.0, [scalar("loss", 1)]))
    program = (
        "import sys\n"
        "from runframe.server import open_local\n"
        "from runframe import Api\n"
        "open_local('store').close()\n"
        "Api('local:store').sync_tensorboard('logs', project='p')\n"
        "assert not {'tensorflow', 'torch', 'grpc'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


class Full:
    """A server that takes no history any more."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        messages = []
        while scope["type"] == "http" and (not messages or messages[-1].get("more_body")):
            messages.append(await receive())
        if any(b"wandb-history.jsonl" in message.get("body", b"") for message in messages):
            await send({"type": "http.response.start", "status": 413, "headers": []})
            await send({"type": "http.response.body", "body": b"the disk is full"})
        else:
            await self.app(scope, replayed(messages, receive), send)


def replayed(messages: list[Any], receive: Any) -> Any:
    async def next_message() -> Any:
        return messages.pop(0) if messages else await receive()

    return next_message


def test_a_run_that_could_not_be_sent_has_failed(runframe_store: LocalServer, tmp_path: Path) -> None:
    made = write(tmp_path / "logs", (0, 1.0, [scalar("loss", 1)]))
    runframe_store.app = Full(runframe_store.app)  # type: ignore[assignment]
    with serving(runframe_store, tmp_path / "home") as server, server.api() as api:
        with pytest.raises(CommError, match="the disk is full"):
            api.sync_tensorboard(tmp_path / "logs", run_id="tb", project="p")
        run = api.run("p/tb")
        assert (run.state, run.file(made.name).size) == ("failed", made.stat().st_size)


@pytest.mark.sdk
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_keys_are_those_of_the_official_sdk(
    runframe_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its `sync_tensorboard` is gone from the package; its SDK still follows event files as they are written."""
    program = Path(__file__).with_name("following.py")
    subprocess.run(
        [sys.executable, str(program), str(tmp_path / "logs")], cwd=tmp_path, check=True, timeout=120,
        env=runframe_server.environment | {"PYTHONPATH": str(program.parent)},
    )  # fmt: skip
    runframe_server.use(monkeypatch)
    import wandb

    with runframe_server.api() as api:
        own = api.sync_tensorboard(tmp_path / "logs", run_id="own", project="p")
        followed = wandb.Api(timeout=60).run("p/followed")
        sent = wandb.Api(timeout=60).run("p/own")
        for key in ("train/loss", "validation/loss", "train/opt/lr"):
            values = [
                [row[key] for row in run.scan_history(keys=[key, "global_step"])] for run in (own, sent, followed)
            ]
            assert values[0] == values[1] == values[2]
        theirs = set(followed.summary.keys()) - {"train/best"}  # the SDK reads the file in train/trial twice
        assert theirs - set(own.summary.keys()) == set()
        events = {file.name for file in followed.files() if "tfevents" in file.name}
        assert events == {file.name for file in own.files() if "tfevents" in file.name}
        assert (sent.state, sent.summary._json_dict) == ("finished", own.summary._json_dict)
        assert {type(sent.summary["train/sample"]).__name__} == {type(followed.summary["train/sample"]).__name__}
