"""Digests, against values worked out by hand and by the official client."""

from __future__ import annotations

from pathlib import Path

import pytest

from runframe.resources.artifacts.digests import (
    algorithm_of,
    bytes_digest,
    file_digest,
    from_hex,
    hash_of,
    is_md5,
    manifest_digest,
    to_hex,
)

ENTRIES = [
    ("a.txt", "n5+Q2+Pl7hIYyGuIOdsZlQ=="),
    ("B.txt", "mHvKsBuSnrLAeHeyJCFckg=="),
    ("sub/b.bin", "uV9n9h67A2GWIteY9F/C0w=="),
    ("empty", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ("ref.csv", "s3://bkt/x.csv"),
]


def test_an_artifact_is_the_sum_of_its_entries_in_any_order() -> None:
    assert manifest_digest(ENTRIES) == "3bde3bf896727530d106baf91a39bc51"
    assert manifest_digest(ENTRIES[::-1]) == "3bde3bf896727530d106baf91a39bc51"
    assert manifest_digest(ENTRIES[:1]) == "560069026c2f0f41cb5af7ddc56e29bf"
    assert manifest_digest([]) == "64e7c61456b10382e2f3b571ac24b659"


@pytest.mark.parametrize(("name", "digest"), ENTRIES[:4])
def test_a_file_has_the_md5_of_its_content(folder: Path, name: str, digest: str) -> None:
    assert file_digest(folder / name) == digest
    assert bytes_digest((folder / name).read_bytes()) == digest


def test_base64_and_hexadecimal_are_two_forms_of_one_digest() -> None:
    assert to_hex("n5+Q2+Pl7hIYyGuIOdsZlQ==") == "9f9f90dbe3e5ee1218c86b8839db1995"
    assert from_hex("9f9f90dbe3e5ee1218c86b8839db1995") == "n5+Q2+Pl7hIYyGuIOdsZlQ=="
    assert to_hex("QXJ0aWZhY3Q6NDI=") == "41727469666163743a3432"


def test_what_an_entry_says_chooses_the_algorithm(folder: Path) -> None:
    pytest.importorskip("xxhash")
    assert algorithm_of({"alg": "XXH128"}) == "XXH128"
    assert algorithm_of({}) is algorithm_of({"alg": "SHA3"}) is None
    assert file_digest(folder / "a.txt", "XXH128") == "iQyKXFrSqKLtup6UeFNGow=="
    assert file_digest(folder / "a.txt", "unknown") == "n5+Q2+Pl7hIYyGuIOdsZlQ=="
    assert hash_of(None)().digest().hex() == "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("text", "said"), [("n5+Q2+Pl7hIYyGuIOdsZlQ==", True), ("s3://b/x", False), ("abc", False), ("YWJj", False)]
)
def test_an_md5_is_told_from_other_digests(text: str, said: bool) -> None:
    assert is_md5(text) is said
