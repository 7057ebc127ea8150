"""Complete histories as frames: chosen keys, shapes, axes, and what the frames say of themselves."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from runframe import Api, CommError, Frame, FrameError, NotFoundError, UsageError, aggregate, align, extjson
from runframe.resources.client import Client
from runframe.resources.run import Run
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from conftest import Asked, Recorder

BIG = 2**62 + 1
DEFINED = [{"1": "epoch", "6": [3], "7": []}, {"2": "val/*", "5": 1, "6": [1], "7": []}]
START = {"_runtime": 0.5, "_timestamp": 1.5}


@pytest.fixture
def run(api: Api) -> Run:
    return api.run("digits/run-0")


def columns(frame: Frame) -> dict[str, list[Any]]:
    return {name: column.to_pylist() for name, column in zip(frame.columns, frame.to_arrow().columns, strict=True)}


# Wide.


def test_all_rows_and_all_keys_come(run: Run) -> None:
    frame = run.history_frame()
    assert frame.columns == ["run_id", "_step", "_runtime", "_timestamp", "count", "grad", "loss", "valid.acc"]
    found = columns(frame)
    assert found["_step"] == list(range(25))
    assert found["run_id"] == ["run-0"] * 25
    assert found["loss"] == [1 / (step + 1) for step in range(25)]
    assert [step for step, value in enumerate(found["valid.acc"]) if value is not None] == [0, 5, 10, 15, 20]
    assert math.isnan(found["grad"][3])
    assert found["grad"][4] == math.inf
    assert frame.schema.field("loss").type == pa.float64()
    assert frame.schema.field("run_id").type == pa.dictionary(pa.int32(), pa.string())


def test_it_holds_what_a_scan_gives(run: Run) -> None:
    rows = list(run.scan_history())
    found = run.history_frame().to_arrow().to_pylist()
    for row, expected in zip(found, rows, strict=True):
        assert row["loss"] == expected["loss"]
        assert row["valid.acc"] == expected.get("valid", {}).get("acc")
        assert extjson.loads(row["count"] or "null") == expected.get("count")


def test_several_keys_give_the_union_of_their_rows(run: Run) -> None:
    found = columns(run.history_frame(["valid.acc", "grad"]))
    assert list(found) == ["run_id", "_step", "valid.acc", "grad"]
    assert found["_step"] == [0, 3, 4, 5, 10, 15, 20]
    assert found["valid.acc"] == [0.25, None, None, 0.25, 0.25, 0.25, 0.25]


def test_all_gives_the_intersection_as_a_scan_does(run: Run) -> None:
    frame = run.history_frame(["grad", "valid.acc"], how="all")
    assert columns(frame)["_step"] == [row["_step"] for row in run.scan_history(["grad", "valid.acc"])]
    assert columns(frame)["_step"] == [0, 5, 10, 15, 20]


def test_a_key_has_several_names(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", rows=[{"a.b": 1}, {"a": {"b": 2}}, {"a": {"b": 3, "c": 4}, "a.b": 5}])
    run = api.run("p/r")
    frame = run.history_frame(["a.b"])
    assert columns(frame) == {"run_id": ["r"] * 3, "_step": [0, 1, 2], "a.b": [None, 2, 3], r"a\.b": [1, None, 5]}
    assert columns(run.history_frame([r"a\.b"])) == {"run_id": ["r"] * 2, "_step": [0, 2], r"a\.b": [1, 5]}
    assert columns(run.history_frame(["a"])) == {
        "run_id": ["r"] * 2, "_step": [1, 2], "a.b": [2, 3], "a.c": [None, 4],
    }  # fmt: skip
    assert run.history_frame("a?b").columns == ["run_id", "_step", "a.b", r"a\.b"]


def test_a_text_is_a_pattern(run: Run) -> None:
    assert run.history_frame("*a*").columns == ["run_id", "_step", "grad", "valid.acc"]
    assert run.history_frame("loss").columns == ["run_id", "_step", "loss"]
    assert run.history_frame("g*|los?").columns == ["run_id", "_step", "grad", "loss"]
    assert run.history_frame(re.compile("^g|ss$")).columns == ["run_id", "_step", "grad", "loss"]
    assert run.history_frame(lambda name: name.endswith("acc")).columns == ["run_id", "_step", "valid.acc"]
    assert run.history_frame("*").columns == ["run_id", "_step", "count", "grad", "loss", "valid.acc"]
    assert run.history_frame("_r*").columns == ["run_id", "_step", "_runtime"]
    assert columns(run.history_frame("*a*", how="all"))["_step"] == [0, 5, 10, 15, 20]
    assert columns(run.history_frame("*a*", how="all", tail=2))["_step"] == [15, 20]


def test_no_key_is_nothing(run: Run) -> None:
    assert columns(run.history_frame([])) == {"run_id": [], "_step": []}
    assert run.history_frame([], how="all").num_rows == 0


def test_what_every_row_has_chooses_no_rows(run: Run) -> None:
    frame = run.history_frame(["_timestamp", "valid.acc", "_step"])
    assert frame.columns == ["run_id", "_step", "_timestamp", "valid.acc"]
    assert frame.num_rows == 5
    assert run.history_frame(["_runtime"]).num_rows == run.history_frame("_*").num_rows == 25
    assert run.history_frame("_*|valid.*").num_rows == 5
    assert columns(run.history_frame("_step|valid.*", tail=2))["_step"] == [15, 20]


def test_an_unknown_key_is_warned_of_with_near_matches(run: Run) -> None:
    with pytest.warns(UserWarning, match=r"local/digits/run-0: no row has the key 'los': did you mean 'loss'") as seen:
        frame = run.history_frame(["los", "valid.acc"])
    assert seen[0].filename == __file__
    assert frame.schema.field("los").type == pa.null()
    assert frame.num_rows == 5
    with pytest.warns(UserWarning, match=r"the pattern 'x\*' matches no key: the keys are count, grad, loss"):
        assert run.history_frame("x*").columns == ["run_id", "_step"]
    with pytest.warns(UserWarning, match="no row that was read has the key 'x': nothing was logged"):
        assert columns(run.history_frame(["x"], min_step=99)) == {"run_id": [], "_step": [], "x": []}


def test_a_logged_null_is_a_row_of_its_key(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", rows=[{"a": 1}, {"a": None}, {"b": 1}])
    run = api.run("p/r")
    assert columns(run.history_frame(["a"]))["a"] == [1, None]
    assert [row["a"] for row in run.scan_history(["a"])] == [1, None]


def test_a_range_of_steps_ends_before_its_end(run: Run) -> None:
    assert columns(run.history_frame(min_step=3, max_step=6))["_step"] == [3, 4, 5]
    assert columns(run.history_frame(["valid.acc"], min_step=5, max_step=15))["_step"] == [5, 10]
    assert run.history_frame(min_step=9, max_step=2).num_rows == 0


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 24, 25, 26, 10**9])
def test_tail_gives_the_last_rows(run: Run, rows: int) -> None:
    steps = list(range(25))
    assert columns(run.history_frame(tail=rows))["_step"] == steps[25 - min(rows, 25) :]
    sparse = [0, 5, 10, 15, 20]
    assert columns(run.history_frame(["valid.acc"], tail=rows))["_step"] == sparse[5 - min(rows, 5) :]
    assert columns(run.history_frame(tail=rows, min_step=2, max_step=9))["_step"] == steps[2:9][7 - min(rows, 7) :]


def test_the_tail_of_a_long_history_is_not_read_from_its_start(asked: Asked, client: Client) -> None:
    run = Runs(client, "local", "digits")[0]
    assert run.history_frame(tail=2).num_rows == 2
    pages = [variables for name, variables in asked.operations if name == "HistoryPage"]
    assert [page["minStep"] for page in pages] == [23]


def test_a_tail_may_lack_keys_that_were_seen_on_the_way(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", rows=[{"a": {"x": 1}}, {"a": {"y": 2}}, {"b": 3}])
    assert columns(api.run("p/r").history_frame(["a"], tail=1)) == {
        "run_id": ["r"], "_step": [1], "a.x": [None], "a.y": [2],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"keys": 5}, "keys must be a list"),
        ({"keys": ["a", 1]}, "1 is not text"),
        ({"how": "some"}, "'some'"),
        ({"shape": "tall"}, "'tall'"),
        ({"tail": -1}, "-1"),
        ({"tail": 1.5}, "tail"),
        ({"min_step": "0"}, "min_step"),
        ({"max_step": True}, "max_step"),
        ({"x": ""}, "x must be"),
    ],
)
def test_arguments_are_checked_before_anything_is_sent(
    asked: Asked, client: Client, arguments: dict[str, Any], said: str
) -> None:
    runs = Runs(client, "local", "digits")
    run = Run(client, "local", "digits", "run-0", {"state": "finished"})
    for ask in (run.history_frame, runs.histories_frame):
        with pytest.raises(UsageError, match=said):
            ask(**arguments)
    assert asked.operations == []


def test_one_run_costs_its_pages_and_a_question(asked: Asked, client: Client) -> None:
    Run(client, "local", "digits", "run-0", {"state": "finished"}).history_frame(["loss", "grad"])
    assert asked.counts == {"RunHistoryKeys": 1, "HistoryPage": 1}


def test_a_missing_run_is_an_error(api: Api, client: Client) -> None:
    with pytest.raises(NotFoundError, match="local/digits/gone"):
        Run(client, "local", "digits", "gone", {"state": "finished"}).history_frame()


# Long.


def test_a_long_frame_has_a_row_a_value(run: Run) -> None:
    frame = run.history_frame(["valid.acc", "count"], shape="long")
    assert frame.columns == ["run_id", "key", "step", "time", "value", "text", "json", "type", "runtime"]
    found = columns(frame)
    assert found["key"] == ["valid.acc", "count", "count", "valid.acc", "valid.acc", "valid.acc", "valid.acc"]
    assert found["step"] == [0, 3, 4, 5, 10, 15, 20]
    assert found["value"] == [0.25, float(BIG), float(2**70), 0.25, 0.25, 0.25, 0.25]
    assert found["json"] == [None, str(BIG), str(2**70), None, None, None, None]
    assert {time.timestamp() for time in found["time"]} == {1.5}
    assert set(found["runtime"]) == {0.5}


def test_no_value_is_lost_in_a_long_frame(written: tuple[Recorder, Api]) -> None:
    record, api = written
    picture = {"_type": "image-file", "path": "a.png", "sha256": "0"}
    rows = [
        {"flag": True, "n": 3, "word": "phase 1", "list": [1, 2], "media": picture, "empty": {}},
        {"n": math.nan, "mixed": 1, "null": None},
        {"mixed": "one"},
        {"mixed": [1]},
        {"mixed": False},
        {"mixed": "\\ud800"},
    ]
    record.run("p/r", rows=rows)
    frame = api.run("p/r").history_frame(shape="long")
    found = [(row["step"], row["key"], row["type"]) for row in frame.to_arrow().to_pylist()]
    assert found == [
        (0, "empty", "json"), (0, "flag", "bool"), (0, "list", "json"), (0, "media", "json"), (0, "n", "double"),
        (0, "word", "string"), (1, "mixed", "int64"), (1, "n", "double"), (2, "mixed", "string"), (3, "mixed", "json"),
        (4, "mixed", "bool"), (5, "mixed", "string"),
    ]  # fmt: skip
    by_place = {(row["step"], row["key"]): row for row in frame.to_arrow().to_pylist()}
    assert by_place[0, "flag"]["value"] == 1.0
    assert math.isnan(by_place[1, "n"]["value"])
    assert extjson.loads(by_place[0, "media"]["json"]) == picture
    assert (by_place[0, "list"]["json"], by_place[0, "empty"]["json"]) == ("[1,2]", "{}")
    assert (by_place[2, "mixed"]["text"], by_place[4, "mixed"]["value"]) == ("one", 0.0)
    assert frame.conflicts.num_rows == 0


def test_a_history_of_nothing_is_an_empty_frame(api: Api) -> None:
    empty = api.run("digits/empty")
    assert columns(empty.history_frame()) == {"run_id": [], "_step": []}
    assert empty.history_frame(shape="long").to_arrow().num_rows == 0
    assert empty.history_frame().require_complete().num_rows == 0


# Axes.


@pytest.fixture
def defined(written: tuple[Recorder, Api]) -> Api:
    record, api = written
    rows = [{"loss": 9.0, "epoch": 0}, {"loss": 8.0}, {"val/loss": 7.0, "epoch": 5000}, {"val/loss": 6.0}]
    record.run("p/a", rows=rows)
    record.run("p/b", rows=rows)
    run = api.run("p/a")
    run.rawconfig["_wandb"]["m"] = DEFINED
    run.update()
    return api


def test_each_metric_gets_its_own_axis(defined: Api) -> None:
    run = defined.run("p/a")
    assert [(each.name, each.step_metric) for each in run.metric_definitions] == [("epoch", None), ("val/*", "epoch")]
    found = run.history_frame(["loss", "val/loss"], shape="long", x="auto").to_arrow().to_pylist()
    assert [(row["key"], row["step"], row["x_name"], row["x"]) for row in found] == [
        ("loss", 0, "_step", 0.0),
        ("loss", 1, "_step", 1.0),
        ("val/loss", 2, "epoch", 5000.0),
        ("val/loss", 3, "epoch", None),
    ]


def test_a_wide_frame_gets_the_axes_as_columns(defined: Api) -> None:
    frame = defined.run("p/a").history_frame(["loss", "val/loss"], x="auto")
    assert frame.columns == ["run_id", "_step", "epoch", "loss", "val/loss"]
    assert columns(frame)["epoch"] == [0, None, 5000, None]
    assert frame.schema.field("val/loss").metadata[b"runframe.x"] == b"epoch"
    assert frame.schema.field("loss").metadata[b"runframe.x"] == b"_step"
    assert b"runframe.x" not in frame.schema.field("epoch").metadata
    assert frame.require_complete() is frame
    everything = defined.run("p/a").history_frame(x="auto")
    assert everything.schema.field("val/loss").metadata[b"runframe.x"] == b"epoch"


def test_runs_have_axes_of_their_own(defined: Api) -> None:
    runs = defined.runs("p")
    found = runs.histories_frame("val/*", shape="long", x="auto").to_arrow().to_pylist()
    assert [(row["run_id"], row["x_name"], row["x"]) for row in found] == [
        ("a", "epoch", 5000.0), ("a", "epoch", None), ("b", "_step", 2.0), ("b", "_step", 3.0),
    ]  # fmt: skip
    wide = runs.histories_frame("val/*", x="auto")
    assert wide.columns == ["run_id", "_step", "epoch", "val/loss"]
    assert wide.schema.field("val/loss").metadata[b"runframe.x"] == b""


@pytest.mark.parametrize("keys", [None, ["loss"]])
def test_an_axis_can_be_named(defined: Api, keys: list[str] | None) -> None:
    run = defined.run("p/a")
    found = run.history_frame(keys, shape="long", x="_timestamp").to_arrow().to_pylist()
    assert {(row["x_name"], row["x"]) for row in found} == {("_timestamp", 1.5)}
    with pytest.warns(UserWarning, match="no row has the key 'epochs': did you mean 'epoch'"):
        found = run.history_frame(keys, shape="long", x="epochs").to_arrow().to_pylist()
    assert {(row["x_name"], row["x"]) for row in found} == {("epochs", None)}
    assert "epoch" in run.history_frame(keys, x="epoch").columns


# Many runs.


def test_histories_of_all_runs_are_one_frame(api: Api) -> None:
    frame = api.runs("digits").histories_frame()
    found = columns(frame)
    assert found["run_id"] == [f"run-{number}" for number in range(4) for _ in range(25)]
    assert found["_step"] == [*range(25)] * 4
    parts = [run.history_frame().to_arrow() for run in api.runs("digits")]
    assert found["loss"] == [value for part in parts[:4] for value in part["loss"].to_pylist()]
    assert frame.require_complete().provenance.server_rows == 100  # type: ignore[union-attr]


def test_histories_know_the_runs_that_they_are_averaged_over(written: tuple[Recorder, Api]) -> None:
    record, api = written
    for seed in range(3):
        rows = [{"_step": step, "loss": float(seed + step)} for step in range(0, 4, 1 + seed % 2)]
        record.run(f"p/s{seed}", config={"seed": seed, "lr": 0.1}, rows=rows, groupName="g")
    runs = api.runs("p")
    aligned = runs.histories_frame(["loss"]).align("_step", grid=[0, 1], method="linear")
    expected = align(runs, "_step", grid=[0, 1], method="linear", keys=["loss"])
    assert aligned.to_arrow().equals(expected.to_arrow())
    found = aligned.aggregate(by=["group", "lr"], over="seed").to_arrow()
    assert found.select(["group", "lr", "x", "mean", "count"]).to_pylist() == [
        {"group": "g", "lr": 0.1, "x": 0.0, "mean": 1.0, "count": 3},
        {"group": "g", "lr": 0.1, "x": 1.0, "mean": 2.0, "count": 3},
    ]
    for same in (
        expected,
        runs.histories_frame(["loss"], shape="long", x="_step").align("x", grid=[0, 1], method="linear"),
    ):
        assert aggregate(same, by=["group", "lr"]).to_arrow().equals(found)
    table = pa.table(aligned)
    with pytest.raises(UsageError, match="runs= says more of the runs"):
        aggregate(table)
    assert aggregate(table, by=["group", "lr"], runs=runs).to_arrow().equals(found)


def test_a_metric_has_one_type_over_all_runs(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/a", rows=[{"m": 1}])
    record.run("p/b", rows=[{"m": 2.5, "only": "b"}])
    frame = api.runs("p").histories_frame()
    assert columns(frame)["m"] == [1.0, 2.5]
    assert frame.schema.field("m").type == pa.float64()
    assert columns(api.runs("p", {"name": "c"}).histories_frame()) == {"run_id": [], "_step": []}
    assert columns(api.runs("p", {"name": "b"}).histories_frame())["only"] == ["b"]
    assert columns(api.runs("p", order="-created_at").histories_frame(tail=1))["run_id"] == ["b", "a"]


def test_many_runs_are_listed_once_and_read_ahead(asked: Asked, client: Client) -> None:
    runs = Runs(client, "local", "digits")
    assert runs.histories_frame(["loss"]).num_rows == 100
    assert asked.counts == {"RunExtents": 1, "HistoryPage": 4}
    assert asked.operations[0][1]["config"] is False


def test_a_key_that_no_run_has_warns_once(api: Api) -> None:
    with pytest.warns(UserWarning, match="local/digits: no row has the key 'lost'") as seen:
        api.runs("digits").histories_frame(["lost"])
    assert len(seen) == 1


def test_histories_of_a_missing_project_are_an_error(client: Client) -> None:
    with pytest.raises(NotFoundError, match="local/nowhere"):
        Runs(client, "local", "nowhere").histories_frame()


# What they say of themselves.


def test_a_finished_run_is_complete(run: Run) -> None:
    said = run.history_frame().provenance
    assert said is not None
    assert (said.completeness, said.source, said.rows, said.rows_read, said.server_rows) == (
        "complete", "local/digits/run-0", 25, 25, 25,
    )  # fmt: skip
    assert said.watermark is not None


def test_chosen_rows_are_held_against_the_rows_that_were_read(run: Run) -> None:
    for shape in ("wide", "long"):
        frame = run.history_frame(["valid.acc"], shape=shape)  # type: ignore[arg-type]
        said = frame.require_complete().provenance
        assert said is not None
        assert (frame.num_rows, said.rows_read, said.server_rows) == (5, 25, 25)
        assert said.query == "history(keys=['valid.acc'], how='any')"
    assert run.history_frame(tail=3).require_complete().provenance.server_rows is None  # type: ignore[union-attr]


def test_a_run_that_goes_on_is_live(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/done", rows=[{"a": 1}])
    record.run("p/going", rows=[{"a": 1}], exit_code=None)
    for frame in (api.run("p/going").history_frame(), api.runs("p").histories_frame(["a"], shape="long")):
        with pytest.raises(FrameError, match="while it was being written"):
            frame.require_complete()
        assert "live" in repr(frame)
    assert api.run("p/done").history_frame().require_complete()


def test_a_frame_can_be_read_again_without_asking(asked: Asked, client: Client) -> None:
    frame = Runs(client, "local", "digits").histories_frame(["loss"], shape="long")
    first = frame.to_arrow()
    count = len(asked.operations)
    assert frame.to_arrow().equals(first)
    assert len(asked.operations) == count
    assert frame.num_rows == first.num_rows == 100


def test_errors_of_the_server_are_its_own(client: Client) -> None:
    client.session.close()
    with pytest.raises((CommError, UsageError)):
        Run(client, "local", "digits", "run-0", {"state": "finished"}).history_frame()
