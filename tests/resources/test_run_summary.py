"""The dict-like face of a summary."""

from __future__ import annotations

import pytest

from runframe.resources.summary import HTTPSummary


class Sent(list[dict[str, object]]):
    """What was sent, and the summary that sends it."""

    def __init__(self, document: dict[str, object]) -> None:
        super().__init__()
        self.summary = HTTPSummary(document, lambda: self.append(dict(document)))


@pytest.fixture
def sent() -> Sent:
    return Sent({"loss": 0.5, "valid": {"acc": 1, "deep": {"x": 2}}})


def test_it_reads_like_a_dict_and_like_an_object(sent: Sent) -> None:
    summary = sent.summary
    assert summary["loss"] == summary.loss == summary.get("loss") == summary[" loss "] == 0.5
    assert list(summary) == list(summary.keys()) == ["loss", "valid"]
    assert len(summary) == 2
    assert "loss" in summary
    assert "nope" not in summary
    assert summary.get("nope", 3) == 3
    assert dict(summary.items())["loss"] == next(iter(summary.values())) == 0.5
    assert repr(summary) == "{'loss': 0.5, 'valid': {'acc': 1, 'deep': {'x': 2}}}"
    assert list(dict(summary)["valid"].keys()) == ["acc", "deep"]


def test_a_missing_key_is_an_error_for_items_and_attributes(sent: Sent) -> None:
    with pytest.raises(KeyError):
        sent.summary["nope"]
    with pytest.raises(KeyError):
        _ = sent.summary.nope
    assert not hasattr(sent.summary, "nope")
    with pytest.raises(KeyError):
        del sent.summary["nope"]


def test_assigning_changes_the_document_and_sends_nothing(sent: Sent) -> None:
    sent.summary["valid"]["deep"]["x"] = 3
    sent.summary.added = {"y": 1}
    del sent.summary["loss"]
    assert sent.summary._json_dict == {"valid": {"acc": 1, "deep": {"x": 3}}, "added": {"y": 1}}
    assert "loss" not in sent.summary
    assert sent == []


def test_update_merges_one_level_and_sends(sent: Sent) -> None:
    sent.summary.update({"valid": {"acc": 2}})
    assert sent[-1] == {"loss": 0.5, "valid": {"acc": 2}}
    sent.summary["valid"].update({"f1": 1})
    assert sent[-1] == {"loss": 0.5, "valid": {"acc": 2, "f1": 1}}
    sent.summary.update()
    assert len(sent) == 3


def test_update_can_spare_what_was_assigned(sent: Sent) -> None:
    sent.summary["mine"] = 1
    sent.summary.update({"mine": 2, "loss": 3}, overwrite=False)
    assert sent[-1]["mine"] == 1
    assert sent[-1]["loss"] == 3
