"""What the official SDK logged: our frames hold what the official client's scan gives, typed, and more."""

from __future__ import annotations

import datetime as dt
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import runframe
from runframe.frames.names import split_name
from runframe.server import open_local
from runframe.testing import Server, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported and used.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

BIG = 2**62 + 1


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("histories")
    program = Path(__file__).with_name("logging_histories.py")
    with open_local(root / "store") as local, serving(local, root / "home") as server:
        subprocess.run([sys.executable, str(program)], env=server.environment, cwd=root, check=True, timeout=180)
        yield server


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[runframe.Api]:
    with server.api() as api:
        yield api


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    server.use(monkeypatch)
    import wandb

    return wandb.Api(timeout=60)


def leaves(row: dict[str, Any], prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and "_type" not in value:
            found |= leaves(value, (*prefix, key))
        else:
            found[(*prefix, key)] = value
    return found


def alike(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, float) and math.isnan(theirs):
        return isinstance(ours, float) and math.isnan(ours)
    return bool(ours == theirs)


def test_a_frame_holds_what_the_official_scan_gives(api: runframe.Api, official: Any) -> None:
    for run in api.runs("seeds"):
        scan = list(official.run(f"{run.entity}/seeds/{run.id}").scan_history())
        frame = run.history_frame()
        rows = frame.require_complete().to_arrow().to_pylist()
        assert [row["_step"] for row in rows] == [row["_step"] for row in scan]
        json_columns = {field.name for field in frame.schema if isinstance(field.type, pa.JsonType)}
        for ours, theirs in zip(rows, scan, strict=True):
            expected = leaves(theirs)
            for name, value in ours.items():
                path = split_name(name)
                if name == "run_id" or isinstance(value, dict):  # media are compared below
                    continue
                value = json.loads(value) if name in json_columns and value is not None else value
                assert alike(value, expected.get(path)), (name, value, expected.get(path))
            assert {path for path in expected if expected[path] is not None} <= set(map(split_name, ours))


def test_types_are_those_of_the_lattice(api: runframe.Api) -> None:
    schema = api.runs("seeds").histories_frame().schema
    types = {name: str(schema.field(name).type) for name in ("loss", "seen", "opt.m.b", "grad", "good", r"a\.dot")}
    assert types == {
        "loss": "double", "seen": "int64", "opt.m.b": "int64", "grad": "double", "good": "bool", r"a\.dot": "double",
    }  # fmt: skip
    assert isinstance(schema.field("phase").type, pa.JsonType)
    for media in ("picture", "weights", "tab"):
        assert pa.types.is_struct(schema.field(media).type)


def test_large_integers_and_infinities_arrive(api: runframe.Api) -> None:
    table = api.run("seeds/seed-0").history_frame(["seen", "grad"]).to_arrow()
    assert table["seen"].to_pylist() == [BIG + step for step in range(20)]
    assert table["grad"].to_pylist()[8] == math.inf


@pytest.mark.parametrize("keys", [["val/loss"], ["loss", "val/loss"], ["opt.m.b", "grad"], ["a.dot"]])
def test_rows_with_all_keys_are_the_official_ones(api: runframe.Api, official: Any, keys: list[str]) -> None:
    run = api.run("seeds/seed-1")
    theirs = list(official.run(f"{run.entity}/seeds/seed-1").scan_history(keys=keys))
    ours = run.history_frame(keys, how="all").to_arrow().to_pylist()
    assert [row["_step"] for row in ours] == [row["_step"] for row in theirs]
    columns = {key: key if key != "a.dot" else r"a\.dot" for key in keys}
    for mine, other in zip(ours, theirs, strict=True):
        for key, column in columns.items():
            if other[key] not in ("NaN", None):  # what the official client makes of NaN here
                assert alike(mine[column], float(other[key]) if isinstance(mine[column], float) else other[key])


def test_several_keys_give_rows_that_the_official_scan_loses(api: runframe.Api, official: Any) -> None:
    run = api.run("seeds/seed-0")
    assert list(official.run(f"{run.entity}/seeds/seed-0").scan_history(keys=["grad", "val/loss"])) == []
    assert run.history_frame(["grad", "val/loss"]).to_arrow()["_step"].to_pylist() == [0, 5, 7, 8, 10, 15]


def test_each_metric_is_over_its_own_axis(api: runframe.Api) -> None:
    run = api.run("seeds/seed-0")
    definitions = run.metric_definitions
    assert definitions.x_axis("val/loss") == "epoch"
    assert definitions.definition_of("epoch").hidden  # type: ignore[union-attr]
    assert {each.name for each in definitions} == {"epoch", "val/*", "val/quiet", "quiet_table"}
    frame = run.history_frame(["loss", "val/loss", "val/quiet"], shape="long", x="auto")
    rows = [row for row in frame.to_arrow().to_pylist() if row["key"] != "loss"]
    # The SDK adds the axis to the row at step 7, for val/loss; val/quiet is there too, so it finds it as well.
    assert [(row["key"], row["step"], row["x_name"], row["x"]) for row in rows] == [
        ("val/loss", 0, "epoch", 0.0), ("val/loss", 5, "epoch", 1.0), ("val/loss", 7, "epoch", 1.0),
        ("val/quiet", 7, "epoch", 1.0), ("val/loss", 10, "epoch", 2.0), ("val/loss", 15, "epoch", 3.0),
    ]  # fmt: skip
    assert {row["x_name"] for row in frame.to_arrow().to_pylist() if row["key"] == "loss"} == {"_step"}


def test_curves_are_averaged_over_seeds(api: runframe.Api) -> None:
    runs = api.runs("seeds")
    aligned = runframe.align(runs, "auto", grid="union", method="exact", keys=["loss", "val/loss"], duplicates="first")
    table = runframe.aggregate(aligned, by="optimizer.lr", over="seed", runs=runs).to_polars()
    loss = table.filter(table["key"] == "loss")
    assert loss["x"].to_list() == [float(step) for step in range(22)]
    assert loss["count"].to_list() == [3] * 20 + [2, 1]
    assert set(loss["optimizer.lr"]) == {0.1}
    one = [run.history_frame(["loss"], max_step=1).to_arrow()["loss"][0].as_py() for run in runs]
    assert math.isclose(loss["mean"][0], sum(one) / 3)
    assert table.filter(table["key"] == "val/loss")["x"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_media_are_structs_and_bins_are_spelled_out(api: runframe.Api, official: Any) -> None:
    run = api.run("seeds/seed-0")
    row = run.history_frame(["picture", "weights"]).to_arrow().to_pylist()[0]
    (theirs,) = official.run(f"{run.entity}/seeds/seed-0").scan_history(keys=["picture", "weights"])
    assert {name: value for name, value in row["picture"].items() if value is not None} == theirs["picture"]
    assert (row["picture"]["_type"], row["picture"]["caption"]) == ("image-file", "black")
    assert len(row["weights"]["bins"]) == len(row["weights"]["values"]) + 1
    long = run.history_frame(["picture"], shape="long").to_arrow().to_pylist()[0]
    assert json.loads(long["json"]) == theirs["picture"]


# Tables.


def test_tables_are_typed_and_whole(api: runframe.Api) -> None:
    frame = api.run("seeds/seed-2").table("tab")
    assert [str(field.type) for field in frame.schema][:2] == ["int64", "timestamp[us, tz=UTC]"]
    rows = frame.require_complete().to_arrow().to_pylist()
    assert rows[0]["n"] == 2
    assert rows[0]["when"] == dt.datetime(2024, 1, 2, tzinfo=dt.UTC)
    assert rows[0]["image"]["_type"] == "image-file"
    assert (rows[1]["n"], rows[1]["when"], rows[1]["image"], rows[1]["x"]) == (BIG, None, None, None)
    assert frame.provenance is not None
    assert frame.provenance.source is not None
    assert frame.provenance.source.startswith("local/seeds/run-seed-2-tab:v0/")


def test_tables_under_other_keys(api: runframe.Api) -> None:
    run = api.run("seeds/seed-1")
    assert run.table("deep.tab").to_arrow().to_pylist() == [{"n": 1}]
    assert run.table("grown").to_arrow()["epoch"].to_pylist() == [0, 1, 2]
    assert run.table("quiet_table").to_arrow().to_pylist() == [{"q": "quiet"}]


def test_tables_of_all_seeds_are_one_frame(api: runframe.Api, official: Any) -> None:
    frame = api.runs("seeds").tables("tab")
    assert frame.columns == ["run_id", "n", "when", "image", "x"]
    assert frame.to_arrow()["n"].to_pylist() == [0, BIG, 1, BIG, 2, BIG]
    assert frame.require_complete().num_rows == 6
    for number in range(3):
        theirs = official.artifact(f"local/seeds/run-seed-{number}-tab:v0").get("tab").get_dataframe()
        assert theirs["n"].tolist() == [number, BIG]
