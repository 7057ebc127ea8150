"""The official SDK, unpatched, logs to the server, and the official client reads it back."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_process import Official, ServerProcess

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

BIG = 2**62 + 1

LOG = """
import os, pathlib
import numpy as np
config = {"optimizer": {"name": "sgd", "lr": 0.1}, "big": 2**62 + 1, "a.dot": 1.5, "layers": [64, 10]}
with wandb.init(project="p", id="full", name="the name", group="g", job_type="train", tags=["a", "b"], notes="n",
                config=config) as run:
    run.define_metric("acc", summary="max")
    for step in range(1500):
        row = {"loss": 1 / (step + 1), "big": 2**62 + step, "nested": {"x": step}, "acc": float(step % 7)}
        row["odd"] = float("nan") if step == 3 else float("inf") if step == 4 else float("-inf") if step == 5 else 1.5
        if step % 100 == 0:
            row["rare"] = step
        run.log(row)
    run.log({
        "image": wandb.Image(np.zeros((4, 4, 3), dtype=np.uint8), caption="c"),
        "table": wandb.Table(columns=["a", "b"], data=[[1, "x"], [2, "y"]]),
        "histogram": wandb.Histogram([1, 2, 3]),
        "page": wandb.Html("<b>hello</b>"),
    })
    saved = pathlib.Path("saved.txt")
    saved.write_text("saved")
    run.save("saved.txt")
    run.summary["verdict"] = {"nan": float("nan"), "big": 2**62 + 1, "word": "done"}
    run.alert("careful", "something", level="WARN", wait_duration=1)
    print("hello from the run")
failed = wandb.init(project="p", id="failed")
failed.finish(exit_code=3)
try:
    with wandb.init(project="p", id="raised"):
        raise KeyError("on purpose")
except KeyError:
    pass
result = run.url
"""


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    home = tmp_path_factory.mktemp("official")
    server = ServerProcess(home / "store")
    try:
        official = Official(server, home)
        assert official.run(LOG) == f"{server.url}/local/p/runs/full"
        yield official
    finally:
        assert server.stop() == 0


@pytest.fixture(scope="module")
def full(official: Official) -> Any:
    return official.run("""
        api = wandb.Api()
        run = api.run("p/full")
        result = {name: getattr(run, name) for name in (
            "id", "name", "state", "tags", "notes", "group", "job_type", "entity", "project", "config",
            "summary_metrics", "system_metrics", "metadata", "created_at", "heartbeat_at", "lastHistoryStep", "path")}
        result["user"] = run.user.username
        result["rows"] = list(run.scan_history())
        result["some"] = list(run.scan_history(keys=["loss", "big", "odd"], page_size=97))
        result["rare"] = list(run.scan_history(keys=["rare"]))
        result["sample"] = run.history(samples=20, pandas=False)
        result["chosen"] = run.history(samples=10, keys=["loss", "nested.x"], pandas=False)
        result["system"] = run.history(stream="system", pandas=False)
        result["files"] = {file.name: (file.size, file.md5, file.mimetype) for file in run.files(per_page=3)}
        result["named"] = [file.name for file in run.files(names=["saved.txt"])]
        result["media"] = [file.name for file in run.files(pattern="media/images/%")]
        result["console"] = [(line.content, line.level) for line in run.console_logs()]
        result["tail"] = [line.content for line in run.console_logs(last=1)]
        with run.file("saved.txt").download("down", replace=True) as file:
            result["saved"] = file.read()
        result["viewer"] = (api.viewer.username, api.default_entity)
    """)


def test_what_was_given_to_init_is_read_back(full: Any) -> None:
    assert full["config"] == {"optimizer": {"name": "sgd", "lr": 0.1}, "big": BIG, "a.dot": 1.5, "layers": [64, 10]}
    named = [full[name] for name in ("id", "name", "state", "tags", "notes", "group", "job_type")]
    assert named == ["full", "the name", "finished", ["a", "b"], "n", "g", "train"]
    assert (full["entity"], full["project"], full["user"], full["viewer"]) == (
        "local",
        "p",
        "local",
        ("local", "local"),
    )
    assert full["lastHistoryStep"] == 1500
    assert full["metadata"]["program"] == "<python with no main file>" or full["metadata"]


def test_the_whole_history_is_read_back(full: Any) -> None:
    rows = full["rows"]
    assert [row["_step"] for row in rows] == list(range(1501))
    assert [row["big"] for row in rows[:-1]] == [2**62 + step for step in range(1500)]
    assert [row["loss"] for row in rows[:-1]] == [1 / (step + 1) for step in range(1500)]
    assert [row["nested"]["x"] for row in rows[:-1]] == list(range(1500))
    assert math.isnan(rows[3]["odd"]) and (rows[4]["odd"], rows[5]["odd"]) == (math.inf, -math.inf)
    kinds = {key: value["_type"] for key, value in rows[-1].items() if isinstance(value, dict)}
    assert kinds == {"image": "image-file", "table": "table-file", "histogram": "histogram", "page": "html-file"}


def test_chosen_keys_of_the_history_are_read_back(full: Any) -> None:
    # The official client turns every number of such rows into a float and leaves non-finite ones as texts.
    assert [row["big"] for row in full["some"]] == [float(2**62 + step) for step in range(1500)]
    assert [row["odd"] for row in full["some"][3:6]] == ["NaN", "Infinity", "-Infinity"]
    assert full["rare"] == [{"_step": step, "rare": step} for step in range(0, 1500, 100)]


def test_samples_are_spread_and_keep_both_ends(full: Any) -> None:
    steps = [row["_step"] for row in full["sample"]]
    assert (len(steps), steps[0], steps[-1]) == (20, 0, 1500)
    assert len(full["chosen"]) == 10
    assert full["chosen"][-1] == {"_step": 1499, "loss": 1 / 1500, "nested.x": 1499}
    assert all(
        row.keys() <= {"_wandb", "_timestamp", "_runtime"} | {k for k in row if k.startswith("system.")}
        for row in full["system"]
    )


def test_the_summary_is_read_back(full: Any) -> None:
    summary = full["summary_metrics"]
    assert summary["acc"] == {"max": 6}
    assert (summary["big"], summary["nested"], summary["_step"]) == (2**62 + 1499, {"x": 1499}, 1500)
    assert (summary["verdict"]["big"], summary["verdict"]["word"]) == (BIG, "done")
    # The SDK itself may send a nested NaN as null.
    assert summary["verdict"]["nan"] is None or math.isnan(summary["verdict"]["nan"])


def test_files_and_media_are_read_back(full: Any) -> None:
    files = full["files"]
    expected = {
        "saved.txt",
        "output.log",
        "config.yaml",
        "wandb-summary.json",
        "wandb-metadata.json",
        "requirements.txt",
    }
    assert expected <= files.keys()
    assert files["saved.txt"][0] == 5 and full["saved"] == "saved" and full["named"] == ["saved.txt"]
    assert len(full["media"]) == 1 and files[full["media"][0]][2] == "image/png"
    assert sum(name.startswith("media/table/") for name in files) == 1
    assert sum(name.startswith("media/html/") for name in files) == 1


def test_the_console_is_read_back(full: Any) -> None:
    assert ("hello from the run", "") in full["console"]
    assert full["tail"] == [full["console"][-1][0]]


def test_runs_are_listed_filtered_and_ordered(official: Official) -> None:
    found = official.run("""
        api = wandb.Api()
        result = {}
        result["all"] = [(run.id, run.state) for run in api.runs("p")]
        result["eager"] = [(run.id, run.config) for run in api.runs("local/p", lazy=False, per_page=1)]
        result["filtered"] = [run.id for run in api.runs("p", filters={"config.optimizer.lr": {"$gte": 0.1}})]
        result["value"] = [run.id for run in api.runs("p", filters={"config.optimizer.value.name": "sgd"})]
        result["tagged"] = [run.id for run in api.runs("p", filters={"tags": {"$in": ["a", "z"]}})]
        result["failed"] = [run.id for run in api.runs("p", filters={"state": "failed", "displayName": {"$ne": "x"}})]
        result["ordered"] = [run.id for run in api.runs("p", order="-summary_metrics.loss")]
        result["backwards"] = [run.id for run in api.runs("p", order="-created_at", per_page=2)]
        result["length"] = len(api.runs("p", filters={"state": "failed"}))
        result["projects"] = [(project.name, project.entity) for project in api.projects("local")]
        result["project"] = api.project("p", "local").name
        try:
            len(api.runs("none"))
        except ValueError as error:
            result["missing project"] = str(error)
        try:
            api.run("p/none")
        except Exception as error:
            result["missing run"] = str(error)
        frames = api.runs("p").histories(samples=5, keys=["loss"], format="default")
        result["histories"] = [row["run_id"] for row in frames]
    """)
    assert found["all"] == [("full", "finished"), ("failed", "failed"), ("raised", "failed")]
    assert [run for run, _ in found["eager"]] == ["full", "failed", "raised"]
    assert found["eager"][0][1]["big"] == BIG
    assert found["filtered"] == found["value"] == found["tagged"] == ["full"]
    assert found["failed"] == ["failed", "raised"] and found["length"] == 2
    assert found["ordered"][0] == "full" and found["backwards"] == ["raised", "failed", "full"]
    assert ("p", "local") in found["projects"] and found["project"] == "p"
    assert "Could not find project" in found["missing project"] and "none" in found["missing run"]
    assert found["histories"] == ["full"] * 5


def test_runs_are_changed_through_the_client(official: Official) -> None:
    found = official.run("""
        import pathlib
        api = wandb.Api()
        made = api.create_run(run_id="made", project="changed")
        run = api.run("changed/made")
        run.config["lr"] = 0.5
        run.tags = ["one"]
        run.display_name = "renamed"
        run.notes = "noted"
        run.summary["best"] = 2**62 + 1
        run.update()
        run.summary.update({"later": {"deep": 1}})
        path = pathlib.Path("notes") / "up.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("uploaded")
        uploaded = run.upload_file(str(path))
        again = wandb.Api().run("changed/made")
        result = {"config": again.config, "tags": again.tags, "name": again.name, "notes": again.notes,
                  "summary": again.summary_metrics, "uploaded": (uploaded.name, uploaded.size), "state": again.state}
        run.file("notes/up.txt").delete()
        result["after"] = [file.name for file in wandb.Api().run("changed/made").files()]
        result["updated"] = run.update_state("failed")
        result["failed"] = wandb.Api().run("changed/made").state
        run.stop()
        run.delete()
        result["left"] = [run.id for run in wandb.Api().runs("changed")]
        api.create_project("empty", "local")
        result["empty"] = list(api.runs("empty"))
    """)
    assert (found["config"], found["tags"], found["name"], found["notes"]) == ({"lr": 0.5}, ["one"], "renamed", "noted")
    assert found["summary"] == {"best": BIG, "later": {"deep": 1}}
    assert found["uploaded"] == ("notes/up.txt", 8) and found["after"] == []
    assert (found["state"], found["updated"], found["failed"]) == ("running", True, "failed")
    assert found["left"] == [] and found["empty"] == []


def test_a_file_is_the_one_that_was_sent(official: Official, full: Any) -> None:
    import base64

    expected = base64.b64encode(hashlib.md5(b"saved").digest()).decode()
    assert full["files"]["saved.txt"][1] == expected


ATTEMPT = """
def attempt(**arguments):
    try:
        run = wandb.init(project="resumed", id="again", **arguments)
    except wandb.errors.UsageError as error:
        return "refused"
    before = (run.resumed, run.config.as_dict(), run.summary.get("loss"))
    run.log({"loss": 1.0})
    run.log({"loss": 2.0})
    print("logged")
    run.finish()
    return before

def state():
    run = wandb.Api().run("resumed/again")
    return ([row["_step"] for row in run.scan_history()], len(list(run.console_logs())))
"""


def test_resuming_has_the_documented_meanings(official: Official) -> None:
    # An init that was refused keeps the run's id taken in its process: each such attempt is the last of one.
    assert official.run(ATTEMPT + 'result = attempt(resume="must")') == "refused"
    found = official.run(
        ATTEMPT
        + """
result = [
    attempt(resume="never", config={"a": 1}), attempt(resume="must", config={"b": 2}), attempt(resume="allow"),
    state(), attempt(resume="never"),
]
"""
    )
    resumed = (True, {"a": 1, "b": 2}, 2)
    assert found == [(False, {"a": 1}, None), resumed, resumed, (list(range(6)), 3), "refused"]


def test_an_id_used_again_without_resuming_overwrites(official: Official) -> None:
    official.run(ATTEMPT + 'result = attempt(config={"a": 1})')
    assert official.run(ATTEMPT + "result = (attempt(), state())") == ((False, {}, None), ([0, 1], 1))


def test_rewinding_and_forking(official: Official) -> None:
    official.run("""
        with wandb.init(project="branched", id="root", config={"a": 1}) as run:
            for step in range(5):
                run.log({"loss": step})
    """)
    found = official.run("""
        def rows(name):
            return [(row["_step"], row["loss"]) for row in wandb.Api().run(f"branched/{name}").scan_history()]
        with wandb.init(project="branched", id="fork", fork_from="root?_step=2") as run:
            run.log({"loss": 30})
        with wandb.init(project="branched", resume_from="root?_step=3") as run:
            run.log({"loss": 40})
        result = (rows("fork"), rows("root"))
    """)
    assert found[0] == [(0, 0), (1, 1), (2, 2), (3, 30)]
    assert found[1] == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 40)]


def test_a_stopped_run_is_interrupted(official: Official) -> None:
    stopped = official.run("""
        import time
        run = wandb.init(project="p", id="stopped")
        run.log({"a": 1})
        wandb.Api().run("p/stopped").stop()
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                time.sleep(0.2)
                run.log({"a": 1})
            result = False
        except KeyboardInterrupt:
            result = True
    """)
    assert stopped


def test_five_processes_log_side_by_side(official: Official) -> None:
    code = """
        with wandb.init(project="side", id="w{number}", group="g") as run:
            for step in range(500):
                run.log({{"step": step, "writer": {number}}})
        result = True
    """
    outputs = [official.home / f"w{number}.pickle" for number in range(5)]
    writers = [official.start(code.format(number=number), output) for number, output in enumerate(outputs)]
    try:
        assert [writer.wait(120) for writer in writers] == [0] * 5
    finally:
        for writer in writers:
            writer.kill()
    found = official.run("""
        runs = wandb.Api().runs("side", per_page=2)
        result = {run.id: (run.state, [(row["_step"], row["step"], row["writer"]) for row in run.scan_history()])
                  for run in runs}
    """)
    assert found == {f"w{n}": ("finished", [(step, step, n) for step in range(500)]) for n in range(5)}


def test_two_processes_share_one_run(official: Official) -> None:
    code = """
        settings = wandb.Settings(
            mode="shared", x_primary={primary}, x_label="{label}", x_update_finish_state={primary}
        )
        with wandb.init(project="shared", id="one", settings=settings, config={{"{label}": 1}}) as run:
            for step in range(50):
                run.log({{"{label}": step}})
            print("from {label}")
        result = True
    """
    for primary, label in ((True, "first"), (False, "second")):
        assert official.run(code.format(primary=primary, label=label))
    found = official.run("""
        run = wandb.Api().run("shared/one")
        rows = list(run.scan_history())
        result = {"state": run.state, "config": run.config,
                  "rows": {name: [row[name] for row in rows if name in row] for name in ("first", "second")},
                  "console": [(line.label, line.content) for line in run.console_logs()]}
    """)
    assert found["rows"] == {"first": list(range(50)), "second": list(range(50))}
    assert found["config"] == {"first": 1, "second": 1}
    assert {("first", "from first"), ("second", "from second")} <= set(found["console"])


LONG = """
import time
run = wandb.init(project="killed", id="long")
for step in range(400):
    run.log({"step": step, "text": "x" * 100})
    print("line", step)
    time.sleep(0.02)
run.finish()
result = True
"""


def test_a_server_that_is_killed_in_the_middle_of_a_run_has_lost_and_doubled_nothing(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "store")
    official = Official(server, tmp_path)
    output = tmp_path / "long.pickle"
    program = official.start(LONG, output)
    try:
        for _ in range(2):
            _wait_for_rows(official, server)
            port = server.port
            server.kill()
            server = ServerProcess(tmp_path / "store", port)
        assert program.wait(120) == 0
        found = official.run("""
            run = wandb.Api().run("killed/long")
            rows = [(row["_step"], row["step"]) for row in run.scan_history()]
            result = (run.state, rows, [line.content for line in run.console_logs()], run.summary["step"])
        """)
    finally:
        program.kill()
        server.stop()
    assert found[:2] == ("finished", [(step, step) for step in range(400)])
    assert found[2] == [f"line {step}" for step in range(400)] and found[3] == 399


def _wait_for_rows(official: Official, server: ServerProcess) -> None:
    """Wait until the server has acknowledged more lines of the run than before."""
    import time

    import httpx

    query = '{ project(name: "killed") { run(name: "long") { historyLineCount } } }'
    first, deadline = None, time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = httpx.post(f"{server.url}/graphql", json={"query": query}, auth=("api", server.key)).json()
        run = (answer["data"]["project"] or {}).get("run")
        count = run["historyLineCount"] if run else 0
        first = count if first is None else first
        if count > first:
            return
        time.sleep(0.05)
    raise AssertionError("no line came within a minute")
