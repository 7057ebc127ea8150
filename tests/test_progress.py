from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from runframe.progress import Progress, Task, track


def test_a_callback_gets_every_change_and_the_end() -> None:
    seen: list[Progress] = []
    with track("exporting", total=2, unit="runs", progress=seen.append) as task:
        task.advance()
        task.update(description="closing", done=2)
    assert [(state.done, state.description, state.finished) for state in seen] == [
        (0, "exporting", False),
        (1, "exporting", False),
        (2, "closing", False),
        (2, "closing", True),
    ]


def test_rate_and_time_left_follow_the_clock() -> None:
    now = [100.0]
    seen: list[Progress] = []
    task = Task("reading", total=50, unit="rows", done=10, report=seen.append, clock=lambda: now[0])
    assert (seen[0].rate, seen[0].eta) == (None, None)
    now[0] += 4
    task.advance(8)
    assert (task.state.elapsed, task.state.rate, task.state.eta) == (4.0, 2.0, 16.0)
    task.update(done=60)
    assert task.state.eta == 0


def test_the_total_may_be_learnt_later() -> None:
    with track("reading", progress=False) as task:
        task.advance(3)
        assert task.state.total is None and task.state.eta is None
        task.update(total=6)
        assert task.state.total == 6


def test_work_that_fails_is_not_reported_as_finished() -> None:
    seen: list[Progress] = []
    with pytest.raises(KeyboardInterrupt), track("reading", progress=seen.append):
        raise KeyboardInterrupt
    assert [state.finished for state in seen] == [False]


def test_threads_share_a_task() -> None:
    with track("reading", progress=False) as task:
        threads = [threading.Thread(target=lambda: [task.advance() for _ in range(500)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert task.state.done == 2000


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("x", 12, 40, "runs", 3.75, 3.2, 8.75), "12/40 runs · 3.2 runs/s · 0:00:09 left"),
        (Progress("x", 40, 40, "runs", 3700, 0.5, 0, True), "40/40 runs · 0.5 runs/s · 1:01:40"),
        (Progress("x", 1_234_567, None, "rows"), "1,234,567 rows"),
        (Progress("x", 1_500_000, 2e9, "bytes", 1, 999.0), "1.5 MB/2 GB · 999 B/s"),
        (Progress("x", 3), "3"),
    ],
)
def test_the_counts_are_readable(progress: Progress, text: str) -> None:
    assert str(progress) == text


def test_nothing_is_shown_where_standard_error_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with track("reading", total=1) as task:
        task.advance()
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
    assert capfd.readouterr() == ("", "")


def run_on_terminal(code: str, tmp_path: Path) -> tuple[int, str, str]:
    """A script's exit status, what its terminal showed on standard error, and its standard output."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "LINES": "20"}
    with (tmp_path / "stdout").open("w+") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)], stdout=stdout, stderr=slave, env=environment
        )
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        status = process.wait(timeout=30)
        stdout.seek(0)
        return status, shown.decode(), stdout.read()


def test_a_terminal_shows_one_bar_on_standard_error(tmp_path: Path) -> None:
    status, shown, stdout = run_on_terminal(
        """
        from runframe.progress import track
        with track("exporting [bold]e/p", total=3, unit="runs") as task:
            for _ in range(3):
                task.advance()
        """,
        tmp_path,
    )
    assert (status, stdout) == (0, "")
    assert "exporting [bold]e/p" in shown and "3/3 runs" in shown
    assert shown.count("\n") == 1


def test_a_terminal_gets_its_cursor_back_after_an_error(tmp_path: Path) -> None:
    status, shown, _ = run_on_terminal(
        """
        from runframe.progress import track
        with track("exporting", total=3, unit="runs") as task:
            task.advance()
            raise SystemExit(7)
        """,
        tmp_path,
    )
    assert status == 7
    assert "1/3 runs" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_a_notebook_shows_one_picture_that_changes() -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    code = """
    from runframe.progress import track
    with track("reading <a>", total=4, unit="rows") as task:
        for _ in range(4):
            task.advance()
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(code))])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data"
    assert 'reading &lt;a&gt; <progress value="4" max="4">' in output.data["text/html"]
    assert output.data["text/plain"].startswith("reading <a>  4/4 rows")


def test_rich_is_loaded_only_for_a_bar() -> None:
    code = "import sys, runframe.progress as p\nwith p.track('x'): pass\nsys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE).returncode == 0
