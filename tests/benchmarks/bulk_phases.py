"""Where the time goes: what the working thread is at, looked at every few milliseconds."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from types import FrameType, TracebackType

# The innermost of our files on the stack decides; what is not named counts as the caller's own.
_PHASES = {
    "wire/": "decode", "frames/parquet": "write", "export/tables": "write", "frames/": "flatten",
    "resources/": "decode", "threading.py": "wait", "concurrent/futures": "wait", "queue.py": "wait",
}  # fmt: skip


class Phases:
    """Watches the thread that enters it, until it leaves.

    Attributes:
        seen: how often each phase was met.
    """

    def __init__(self, pause: float = 0.004) -> None:
        self.seen: Counter[str] = Counter()
        self.hot: Counter[str] = Counter()
        self._pause = pause
        self._end = threading.Event()

    def __enter__(self) -> Phases:
        self._watched = threading.get_ident()
        self._start = time.perf_counter()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._seconds = time.perf_counter() - self._start

    def shares(self) -> dict[str, float]:
        """Seconds of each phase."""
        looks = sum(self.seen.values()) or 1
        return {name: self._seconds * count / looks for name, count in self.seen.most_common()}

    def _watch(self) -> None:
        while not self._end.wait(self._pause):
            frame = sys._current_frames().get(self._watched)
            self.seen[_phase(frame)] += 1
            if frame is not None:
                self.hot[f"{frame.f_code.co_filename}:{frame.f_lineno}"] += 1


def _phase(frame: FrameType | None) -> str:
    while frame is not None:
        name = frame.f_code.co_filename
        for part, phase in _PHASES.items():
            if part in name:
                return phase
        frame = frame.f_back
    return "other"
