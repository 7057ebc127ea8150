"""What is written to a run, and that others see it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from runframe import Api, CommError, NotFoundError
from runframe.resources.run import Run

PATH = "digits/run-1"


def seen(api: Api, path: str = PATH) -> Run:
    """The run as the server has it now."""
    api.flush()
    return api.run(path)


def test_update_sends_fields_and_config(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.tags.append("new")
    run.notes = "changed"
    run.name = "another name"
    run.group = "another group"
    run.config["added"] = {"deep": [1, 2]}
    del run.config["off"]
    run.update()
    other = seen(fresh)
    assert other is not run
    assert (other.tags, other.notes, other.name) == (["digits", "n1", "new"], "changed", "another name")
    assert (other.group, other.job_type) == ("another group", "train")
    assert other.config["added"] == {"deep": [1, 2]}
    assert "off" not in other.config
    assert other.rawconfig["_wandb"] == {"cli_version": "0.31.0"}


def test_a_config_can_be_assigned(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.config = {"only": 1}
    run.save()
    assert seen(fresh).config == {"only": 1}
    assert "_wandb" in seen(fresh).rawconfig


def test_an_update_of_a_listed_run_leaves_its_documents_alone(fresh: Api) -> None:
    run = fresh.runs("digits")[1]
    run.tags = ["one"]
    run.update()
    other = seen(fresh)
    assert other.tags == ["one"]
    assert other.config["big"] == 2**62 + 1
    assert other.summary["loss"] == 0.5


def test_a_summary_is_sent_when_asked_and_as_a_whole(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.summary["local"] = 1
    assert "local" not in seen(fresh).summary
    run.summary.update({"sent": 2})
    other = seen(fresh).summary
    assert (other["local"], other["sent"], other["loss"]) == (1, 2, 0.5)
    assert math.isnan(other["nested"]["best"])


def test_a_part_of_a_summary_sends_the_whole(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.summary["nested"].update({"best": math.inf})
    assert seen(fresh).summary["nested"]["best"] == math.inf
    assert seen(fresh).summary["word"] == "done"


def test_update_sends_a_changed_summary_too(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.summary["loss"] = -1
    del run.summary["word"]
    run.update()
    assert seen(fresh).summary["loss"] == -1
    assert "word" not in seen(fresh).summary


def test_loading_again_shows_the_server_and_drops_local_changes(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.summary["local"] = 1
    run.config["local"] = 1
    fields = run.load(force=True)
    assert "local" not in run.summary
    assert "local" not in run.config
    assert fields["config"] == run.config


def test_a_value_without_a_json_form_changes_nothing(fresh: Api) -> None:
    run = fresh.run(PATH)
    with pytest.raises(TypeError, match="object"):
        run.summary.update({"fine": 1, "bad": object()})
    assert "fine" not in run.summary
    run.config["bad"] = object()
    with pytest.raises(CommError, match="object"):
        run.update()
    assert seen(fresh).notes == "a note"


def test_a_deleted_run_is_gone_for_others(fresh: Api) -> None:
    run = fresh.run(PATH)
    run.delete()
    assert run.name == "run 1"
    with pytest.raises(NotFoundError):
        seen(fresh)
    fresh.run("digits/run-2").delete(delete_artifacts=True)
    assert [run.id for run in fresh.runs("digits")] == ["run-0", "run-3", "empty"]


def test_a_new_run_has_its_place_and_can_be_changed(fresh: Api) -> None:
    run = fresh.create_run("mine", "digits")
    assert (run.entity, run.project, run.id, run.state, run.tags) == ("local", "digits", "mine", "running", [])
    assert (run.config, run.summary_metrics, run.system_metrics) == ({}, {}, {})
    run.config["x"] = 1
    run.summary["y"] = 2
    run.update()
    other = seen(fresh, "digits/mine")
    assert (other.config, dict(other.summary)) == ({"x": 1}, {"y": 2})


def test_a_new_run_gets_an_id_and_the_project_that_is_set(fresh: Api) -> None:
    run = fresh.create_run()
    assert len(run.id) == 8
    assert run.project == "uncategorized"
    fresh.settings["project"] = "other"
    assert fresh.create_run().project == "other"


def test_a_deleted_file_is_gone(fresh: Api, tmp_path: Path) -> None:
    for run in (fresh.run(PATH), fresh.runs("digits")[2]):
        run.file("report.json").delete()
        assert [file.name for file in run.files()] == ["media/a/b.txt"]
        with pytest.raises(NotFoundError, match=r"no file 'report.json'"):
            run.file("report.json")
