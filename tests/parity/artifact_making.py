"""Artifacts that the cases make and show, with either client."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from case import Read, package


def plain(value: Any) -> Any:
    """A table's cells as both clients can give them."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def table(found: Any) -> list[Any]:
    return [found.columns, plain(found.data)]


def draft(api: Any, name: str = "made", kind: str = "dataset", **options: Any) -> Any:
    Path("in/sub").mkdir(parents=True, exist_ok=True)
    Path("in/a.txt").write_text("alpha\n")
    Path("in/sub/b.txt").write_text("beta")
    artifact = package(api).Artifact(name, kind, **options)
    artifact.add_dir("in")
    return artifact


def logged(api: Any, project: str, name: str = "made", kind: str = "dataset", **options: Any) -> Any:
    """A version that a client logged, as that client reads it back."""
    artifact = draft(api, name, kind, **options)
    if package(api).__name__ == "wandb":
        wandb = package(api)
        with wandb.init(project=project, job_type="auto", settings=wandb.Settings(silent=True, console="off")) as run:
            run.log_artifact(artifact).wait()
    else:
        artifact.save(project, api=api)
    return api.artifact(f"{project}/{name}:v0")


def on_draft(name: str) -> Read:
    """A member of a draft."""
    return Read(lambda api: called(getattr(draft(api), name)))


def called(value: Any) -> Any:
    return value() if callable(value) else value


def seen_facts(*names: str, path: str = "made:latest") -> Any:
    return lambda api, project: [getattr(api.artifact(f"{project}/{path}"), name) for name in names]
