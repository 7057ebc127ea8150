"""The files that the tests' artifacts hold."""

from __future__ import annotations

from pathlib import Path

FILES = {"a.txt": b"alpha\n", "B.txt": b"beta", "sub/b.bin": bytes([0, 1, 2]), "empty": b""}


def write_files(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder
