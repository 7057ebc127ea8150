"""The benchmark of bulk exports runs, and both clients give the same answers in it. No ratio is looked at."""

from __future__ import annotations

from pathlib import Path

import bulk
import pandas as pd
import pytest

RUNS, STEPS = 20, 50


def answers(scene: bulk.Scene, folder: Path, *names: str) -> list[pd.DataFrame]:
    """What some pieces of work find on one server."""
    with bulk.stub(**scene.stub) as url:
        for name in names:
            said = bulk.work(name, url, RUNS, keep=folder)
            assert said["requests"] > 0 and said["seconds"] > 0
    return [pd.read_parquet(folder / f"{name}.parquet") for name in names]


@pytest.mark.slow
@pytest.mark.sdk
def test_both_clients_list_the_same_runs_with_the_same_documents(tmp_path: Path) -> None:
    scene = bulk.scenes(RUNS, RUNS, STEPS)[0]
    ours, theirs = answers(scene, tmp_path, "our_listing", "official_listing_best")
    documents = [name for name in theirs if name.startswith(("config.", "summary."))]
    assert len(theirs) == RUNS and len(documents) >= 100
    pd.testing.assert_frame_equal(ours[["id", *documents]], theirs[["id", *documents]], check_dtype=False)


@pytest.mark.slow
@pytest.mark.sdk
@pytest.mark.parametrize("scene", bulk.scenes(RUNS, RUNS, STEPS)[1:], ids=lambda scene: scene.name)
def test_both_clients_read_the_same_histories(scene: bulk.Scene, tmp_path: Path) -> None:
    ours, theirs = answers(scene, tmp_path, "our_export", "official_scan")
    assert len(theirs) == RUNS * STEPS
    by = ["run_id", "_step"]
    columns = sorted(theirs)
    ours, theirs = (each.sort_values(by, ignore_index=True)[columns] for each in (ours, theirs))
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
