"""The server as a process of its own, and programs that use the official SDK against it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SERVE = """
import sys
from runframe.server.serving import serve
serve(sys.argv[1], "127.0.0.1", int(sys.argv[2]), lambda url, key: print(url, key, flush=True))
"""
_PROGRAM = """
import os, pickle, sys
import wandb
{code}
with open(sys.argv[1], "wb") as file:
    pickle.dump(result, file)
sys.stdout.flush()
# The sidecar may miss what a program that has read histories tells it at its exit, and then both wait for ten minutes.
# All runs are finished here: without that goodbye it ends with the program.
os._exit(0)
"""


class ServerProcess:
    """A running server.

    Args:
        folder: the store's folder.
        port: where to listen; 0 takes a free port.
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        command = [sys.executable, "-c", _SERVE, str(folder), str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.url, self.key = self.process.stdout.readline().split()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def kill(self) -> None:
        """SIGKILL: it gets no chance to say or write anything."""
        self.process.kill()
        self.process.communicate(timeout=30)

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self.process.terminate()
        self.process.communicate(timeout=30)
        return self.process.returncode


@dataclass(frozen=True)
class Official:
    """Programs of the official SDK against one server, with nothing of their own but a folder."""

    server: ServerProcess
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
        names = ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR")
        return kept | {name: str(self.home) for name in names} | {
            "NETRC": str(self.home / "netrc"),
            "WANDB_BASE_URL": self.server.url,
            "WANDB_API_KEY": self.server.key,
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_SILENT": "true",
            "WANDB__FILE_STREAM_TRANSMIT_INTERVAL": "1",
        }  # fmt: skip

    def start(self, code: str, output: Path) -> subprocess.Popen[bytes]:
        """Begin a program; it pickles its variable ``result`` into `output`."""
        program = _PROGRAM.format(code=textwrap.dedent(code))
        return subprocess.Popen([sys.executable, "-c", program, str(output)], env=self.environment, cwd=self.home)

    def run(self, code: str) -> Any:
        """The value that a program leaves in its variable ``result``."""
        output = self.home / "result.pickle"
        process = self.start(f"result = None\n{textwrap.dedent(code)}", output)
        try:
            assert process.wait(120) == 0
        finally:
            process.kill()
        with output.open("rb") as file:
            return pickle.load(file)
