"""Images, sounds and tables of an event file: laid out in a folder as files of the run, and named in its rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SIGNATURES = {
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF8": "gif",
    b"BM": "bmp",
}
SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/flac": "flac"}
_UNSAFE = re.compile(r'[\x00-\x1f<>:"\\|?*]')


class Media:
    """A folder of files that a run will get.

    Attributes:
        folder: where they are; their path from there is their name in the run.
        files: where each is, by name.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Path] = {}

    def images(self, key: str, step: int, images: Sequence[bytes], width: int, height: int) -> dict[str, Any]:
        """What stands for images of one key and step."""
        kinds = [image_format(image) for image in images]
        names = [self._put("images", key, step, image, kind) for image, kind in zip(images, kinds, strict=True)]
        return {
            "_type": "images/separated",
            "width": width,
            "height": height,
            "format": kinds[0] if kinds else "png",
            "count": len(images),
            "filenames": names,
        }

    def sounds(self, key: str, step: int, sounds: Sequence[tuple[bytes, str]], content_type: str) -> dict[str, Any]:
        """What stands for sounds of one key and step; each comes with its caption."""
        found = [
            self._file("audio-file", self._put("audio", key, step, sound, SOUNDS.get(content_type, "wav")), sound)
            | ({"caption": caption} if caption else {})
            for sound, caption in sounds
        ]
        return found[0] if len(found) == 1 else {"_type": "audio", "count": len(found), "audio": found}

    def table(self, key: str, step: int, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """What stands for a table."""
        content = json.dumps({"columns": list(columns), "data": [list(row) for row in rows]}).encode()
        name = self._put("table", key, step, content, "table.json")
        return self._file("table-file", name, content) | {"ncols": len(columns), "nrows": len(rows)}

    def _file(self, kind: str, name: str, content: bytes) -> dict[str, Any]:
        return {"_type": kind, "path": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}

    def _put(self, kind: str, key: str, step: int, content: bytes, ending: str) -> str:
        parts = [_UNSAFE.sub("_", part).rstrip(". ") or "_" for part in key.split("/")]
        digest = hashlib.sha256(content).hexdigest()[:20]
        name = "/".join(["media", kind, *parts]) + f"_{step}_{digest}.{ending}"
        # Long keys and odd letters are no matter to the server, but to the file system here.
        target = self.folder / f"{hashlib.sha256(name.encode()).hexdigest()}.{ending}"
        target.write_bytes(content)
        self.files[name] = target
        return name


def image_format(content: bytes) -> str:
    """The format of an encoded image, as file names end."""
    for signature, kind in SIGNATURES.items():
        if content.startswith(signature):
            return kind
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else "bin"
