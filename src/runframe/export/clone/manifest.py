"""The manifest of a version, as it is to be on another server. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

SCHEME = "wandb-artifact://"
_REF = re.compile(rf"{SCHEME}([0-9a-fA-F]+)(/.*)?", re.DOTALL)
_MACHINE = ("local_path", "skip_cache", "birthArtifactID")

Entry = Mapping[str, Any]


def referred(manifest: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the versions that entries refer to, each once."""
    found: dict[str, None] = {}
    for entry in manifest["contents"].values():
        node_id = _id_in(entry.get("ref"))
        if node_id is not None:
            found[node_id] = None
    return iter(found)


def moved(manifest: Mapping[str, Any], ids: Mapping[str, str], births: Mapping[str, str]) -> dict[str, Any]:
    """The manifest with references to other versions, and the versions that files first came with, by their new ids.

    Args:
        manifest: as the source has it.
        ids: the ids of versions on the target, by those on the source. A reference to any other stays as it is.
        births: for each path of a file, the version that the target first got its content with.
    """
    contents: dict[str, Any] = {}
    for path, entry in manifest["contents"].items():
        kept = {key: value for key, value in entry.items() if key not in _MACHINE}
        if isinstance(kept.get("ref"), str):
            kept["ref"] = _moved(kept["ref"], ids)
        elif path in births:
            kept["birthArtifactID"] = births[path]
        contents[path] = kept
    config = {
        key: value for key, value in (manifest.get("storagePolicyConfig") or {}).items() if key != "storageRegion"
    }
    return {**manifest, "storagePolicyConfig": {**config, "storageLayout": "V2"}, "contents": contents}


def files_of(manifest: Mapping[str, Any]) -> dict[str, Entry]:
    """The entries that are files, by their paths."""
    return {path: entry for path, entry in manifest["contents"].items() if entry.get("ref") is None}


def algorithm_of(manifest: Mapping[str, Any]) -> str | None:
    """The algorithm of the digests, where it is not MD5."""
    algorithms = {(entry.get("extra") or {}).get("alg") for entry in manifest["contents"].values()}
    return "MANIFEST_XXH128" if "XXH128" in algorithms else None


def _id_in(ref: Any) -> str | None:
    match = _REF.fullmatch(ref) if isinstance(ref, str) else None
    if match is None or len(match[1]) % 2:
        return None
    return base64.b64encode(bytes.fromhex(match[1])).decode()


def _moved(ref: str, ids: Mapping[str, str]) -> str:
    node_id = _id_in(ref)
    if node_id is None or node_id not in ids:
        return ref
    match = _REF.fullmatch(ref)
    assert match is not None
    return f"{SCHEME}{base64.b64decode(ids[node_id]).hex()}{match[2] or ''}"
