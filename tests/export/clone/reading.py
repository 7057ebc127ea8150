"""Prints all that the official client reads of a project, one thing a line: `reading.py entity/project`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import wandb

PATH = sys.argv[1]
api = wandb.Api(timeout=60)


def digest(folder: str) -> dict[str, str]:
    root = Path(folder)
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def show(*parts: Any) -> None:
    # The order of keys is the reader's, and differs from one reading to the next.
    sys.stdout.write(" ".join(json.dumps(part, sort_keys=True, default=repr) for part in parts) + "\n")


for run in api.runs(PATH, lazy=False):
    names = ("id", "name", "state", "tags", "notes", "group", "job_type", "created_at", "heartbeat_at", "url")
    show(*(getattr(run, name, None) for name in names), run.sweep and run.sweep.name)
    show(sorted(run.config.items()), run.rawconfig if hasattr(run, "rawconfig") else None)
    show(sorted(run.summary._json_dict.items(), key=lambda item: item[0]))
    show(run.metadata if run.id in ("first", "second") else None)
    for row in run.scan_history():
        show(sorted(row.items()))
    for row in run.history(stream="system", pandas=False, samples=10_000):
        show(sorted(row.items()))
    for file in run.files():
        with TemporaryDirectory() as folder:
            file.download(folder)
            show(file.name, file.size, file.mimetype, file.md5, file.updated_at, digest(folder))
    show([artifact.name for artifact in run.logged_artifacts()], [artifact.name for artifact in run.used_artifacts()])
for kind in api.artifact_types(PATH):
    for collection in kind.collections():
        show(kind.name, collection.name, collection.description, sorted(collection.tags), collection.is_sequence())
        for version in api.artifacts(kind.name, f"{PATH}/{collection.name}"):
            made_by = version.logged_by()
            show(
                version.name, version.version, version.digest, version.description, version.metadata, version.size,
                sorted(version.aliases), sorted(version.tags), version.created_at, version.updated_at,
                version.commit_hash, made_by and made_by.id, sorted(run.id for run in version.used_by()),
            )  # fmt: skip
            for path, entry in sorted(version.manifest.entries.items()):
                show(
                    path, entry.digest, entry.size, entry.ref if str(entry.ref).startswith("https") else bool(entry.ref)
                )
            if not any(str(entry.ref).startswith("https") for entry in version.manifest.entries.values()):
                with TemporaryDirectory() as folder:
                    version.download(folder)
                    show(digest(folder))
for sweep in api.project(PATH.split("/")[1], PATH.split("/")[0]).sweeps():
    show(sweep.id, sweep.name, sweep.state, sweep.config, sorted(run.id for run in sweep.runs))
for report in api.reports(PATH):
    show(report.display_name, report.name, report.description, report.spec, report.created_at, report.updated_at)
