"""Manifests: what is in them, and their JSON."""

from __future__ import annotations

import pytest

from runframe import CommError
from runframe.resources.artifacts.entry import ManifestEntry
from runframe.resources.artifacts.manifest import Manifest

JSON = {
    "version": 1,
    "storagePolicy": "wandb-storage-policy-v1",
    "storagePolicyConfig": {"storageLayout": "V2", "storageRegion": "eu"},
    "contents": {
        "a.txt": {"digest": "n5+Q2+Pl7hIYyGuIOdsZlQ==", "size": 6, "birthArtifactID": "QQ=="},
        "d/r": {"digest": "e", "ref": "s3://b/k", "extra": {"etag": "e"}},
        "d/e/f": {"digest": "x", "size": 2},
    },
}


def test_the_json_comes_back_as_it_was() -> None:
    manifest = Manifest.from_manifest_json(JSON)
    assert manifest.to_manifest_json() == JSON
    assert (len(manifest), manifest.size(), "a.txt" in manifest) == (3, 8, True)
    assert (manifest.storage_policy.layout, manifest.storage_policy.region) == ("V2", "eu")
    assert manifest.entries["a.txt"] == ManifestEntry("a.txt", "n5+Q2+Pl7hIYyGuIOdsZlQ==", None, "QQ==", 6)


def test_what_is_not_known_is_passed_over() -> None:
    entry = {"digest": "x", "local_path": "/tmp/x", "skip_cache": True, "ref": None, "extra": None, "new": 1}
    manifest = Manifest.from_manifest_json({"version": 1, "contents": {"a": entry}})
    assert manifest.storage_policy.layout == "V1"
    assert manifest.storage_policy.region == "default"
    assert manifest.to_manifest_json()["contents"] == {"a": {"digest": "x"}}


@pytest.mark.parametrize(
    "document", [{}, {"version": 2}, {"version": 1}, {"version": 1, "contents": {"a": {"size": 1}}}, []]
)
def test_another_format_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match="manifest") as caught:
        Manifest.from_manifest_json(document)  # type: ignore[arg-type]
    assert isinstance(caught.value, CommError)


def test_a_path_holds_one_content() -> None:
    manifest = Manifest()
    manifest.add_entry(ManifestEntry("a", "x", size=1))
    manifest.add_entry(ManifestEntry("a", "x", size=2))
    assert manifest.size() == 2
    with pytest.raises(ValueError, match="another file at 'a'"):
        manifest.add_entry(ManifestEntry("a", "y"))
    manifest.add_entry(ManifestEntry("a", "y"), overwrite=True)
    assert manifest.entries["a"].digest == "y"


def test_entries_are_found_and_removed() -> None:
    manifest = Manifest.from_manifest_json(JSON)
    assert [entry.path for entry in manifest.get_entries_in_directory("d")] == ["d/r", "d/e/f"]
    assert manifest.get_entry_by_path("nope") is None
    manifest.remove_entry(manifest.entries["d/r"])
    assert list(manifest.entries) == ["a.txt", "d/e/f"]
    with pytest.raises(FileNotFoundError, match="'d/r'"):
        manifest.remove_entry(ManifestEntry("d/r", "e"))


def test_an_entry_as_plain_values_leaves_out_what_is_none() -> None:
    entry = ManifestEntry("a", "x", size=1)
    assert entry.to_json() == {"path": "a", "digest": "x", "size": 1, "extra": {}, "skip_cache": False}
    assert entry.name == "a"
    with pytest.raises(NotImplementedError):
        entry.parent_artifact()
    with pytest.raises(ValueError, match="no reference"):
        entry.ref_target()


def test_a_manifest_is_columns_too() -> None:
    table = Manifest.from_manifest_json(JSON).frame().to_polars()
    assert table.columns == ["path", "digest", "size", "ref", "birth_artifact_id", "extra"]
    assert table["path"].to_list() == list(JSON["contents"])  # type: ignore[call-overload]
    assert table["size"].to_list() == [6, None, 2]
    assert table["extra"].to_list() == [None, '{"etag":"e"}', None]
