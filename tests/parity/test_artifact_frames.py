"""Tables inside artifacts, as frames: what the official SDK wrote, with all its rows and types."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_increments_are_read_completely(ours: Any) -> None:
    # The official client gives the first row twice, and the last one not at all.
    artifact = ours.artifact("par/run-logger-incr-inc:latest")
    frames = [artifact.table(path).to_polars().rows() for path in artifact.manifest.entries]
    assert frames == [[(0, 0.0), (1, 0.5), (2, 1.0)]] * 3


def test_frames_hold_what_the_tables_do(official: Any, ours: Any) -> None:
    frame = ours.artifact("par/data:v0").table("tab").to_polars()
    theirs = official.artifact("par/data:v0").get("tab").get_dataframe()
    assert frame.columns == list(theirs.columns)
    assert frame["i"].to_list() == theirs["i"].tolist()
    assert frame["when"].to_list() == [moment.to_pydatetime() for moment in theirs["when"]]
    assert frame["arr"].to_list() == [[0, 1, 2], [0, 1, 2]]
