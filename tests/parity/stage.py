"""The stage: one server in this process, both clients on it, and what the cases gave."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from case import Raised, Read, Shower, Write, attempt
from recording import Recording

from runframe.server import open_local
from runframe.testing import Server, serving

HERE = Path(__file__).parent
PROGRAMS = {
    **{HERE / name: "files" for name in ("training.py", "logging_artifacts.py", "lab.py")},
    HERE.parent / "resources" / "sweeps" / "writing_sweeps.py": "files",
    HERE.parent / "resources" / "logging_jobs.py": "code",
}
"""Programs of the official packages, and the folder that each is given."""
FILES = {"a.txt": b"alpha\n", "B.txt": b"beta", "sub/b.bin": bytes([0, 1, 2]), "empty": b""}


@dataclass
class Stage:
    """The server, both clients, and what the cases gave; each case is played once, whoever asks for it.

    Attributes:
        shower: shows what comes back, and knows which members were looked at.
    """

    server: Server
    recording: Recording
    home: Path
    official: Any
    ours: Any
    shower: Shower = field(default_factory=Shower)
    _played: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)

    def play(self, member: str, about: str, case: Read | Write) -> tuple[Any, Any]:
        """What ours and the official client give; of a write, what each sees of what the other one did."""
        if (member, about) not in self._played:
            folder = self.home / f"{len(self._played)}"
            if isinstance(case, Read):
                given = [self._read(case, api, folder / name) for name, api in self._clients()]
                self._played[member, about] = (given[0], given[1])
            else:
                self._played[member, about] = self._write(case, folder)
        return self._played[member, about]

    def _clients(self) -> list[tuple[str, Any]]:
        return [("runframe", self.ours), ("wandb", self.official)]

    def _read(self, case: Read, api: Any, folder: Path) -> Any:
        api.flush()
        return self._inside(folder, lambda: (case.fit or (lambda value: value))(case.by(api)(api)))

    def _write(self, case: Write, folder: Path) -> tuple[Any, Any]:
        seen = []
        for (name, writer), (_, reader) in (self._clients()[::-1], self._clients()):
            project = f"w{folder.name}-{name}"
            done = self._inside(
                folder / name, lambda w=writer, p=project: (w.create_project(p, "local"), case.do(w, p))
            )
            if isinstance(done, Raised):
                seen.append(done)
                continue
            reader.flush()
            seen.append(self._inside(folder / name, lambda r=reader, p=project: case.see(r, p)))
        return seen[0], seen[1]

    def _inside(self, folder: Path, call: Any) -> Any:
        """What a call gives, in a folder of its own; what it warns of is not compared."""
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return attempt(lambda: self.shower.show(call()))


def write_files(folder: Path) -> Path:
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def filled(shared: Path, home: Path, recording: Recording) -> None:
    """Puts a filled store into `home`: made by the first process that comes here, copied by the others."""
    shared.parent.mkdir(parents=True, exist_ok=True)
    try:
        shared.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + 180
        while not (shared / "whole").exists():
            assert time.monotonic() < deadline, "the process that fills the store came to no end"
            time.sleep(0.1)
    else:
        with open_local(shared / "store") as local:
            local.app = recording.around(local.app)  # type: ignore[assignment]
            with serving(local, shared / "home") as server, server.api() as ours:
                fill(server, write_files(shared / "files"))
                write_old_report(ours)
        recording.save(shared / "sent")
        (shared / "whole").touch()
    recording.load(shared / "sent")
    shutil.copytree(shared / "store", home / "store")


def fill(server: Server, folder: Path) -> None:
    """The official SDK's programs, all at once."""
    commands = [[sys.executable, str(program), str(folder.with_name(name))] for program, name in PROGRAMS.items()]
    processes = [subprocess.Popen(command, env=server.environment, cwd=folder.parent) for command in commands]
    try:
        assert [process.wait(120) for process in processes] == [0] * len(PROGRAMS)
    finally:
        for process in processes:
            process.kill()


UPSERT_VIEW = """mutation UpsertView($input: UpsertViewInput!) { upsertView(input: $input) { view { id } } }"""


def write_old_report(api: Any) -> None:
    """A report of the older form, which no package writes any more: sections, and sets of runs in them."""
    sort = {"key": {"section": "config", "name": "lr.value"}, "ascending": True}
    leaves = [
        {"key": {"section": "summary", "name": "loss"}, "op": "<", "value": 1},
        {"key": {"section": "config", "name": ""}, "op": "=", "value": 1},
    ]
    sections = []
    for leaf, tree in (([], [run.id for run in api.runs("par")][1:4]), (leaves, [])):
        filters = {"op": "OR", "filters": [{"op": "AND", "filters": leaf}]}
        run_set = {"filters": filters, "sort": sort, "selections": {"root": 0, "tree": tree}}
        sections.append({"openRunSet": 0, "runSets": [run_set]})
    view = {"entityName": "local", "projectName": "par", "type": "runs", "displayName": "Old"}
    api.client.execute(UPSERT_VIEW, {"input": view | {"spec": json.dumps({"panelGroups": sections})}})
