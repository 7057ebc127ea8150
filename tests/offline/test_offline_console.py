"""Console text as a terminal would show it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runframe.offline.console import STDERR, STDOUT, WINDOW, Console


def show(*fragments: str | tuple[int, str]) -> list[str]:
    console = Console()
    lines = []
    for fragment in fragments:
        stream, text = (STDOUT, fragment) if isinstance(fragment, str) else fragment
        lines += console.write(stream, "T", text)
    lines += console.finish()
    return [str(line).replace("T ", "", 1) for line in lines]


def test_fragments_make_lines() -> None:
    assert show("st", "ep", " ", "1", "\n", "step 2\nste", "p 3") == ["step 1", "step 2", "step 3"]


def test_a_progress_bar_leaves_its_last_state() -> None:
    assert show("10%", "\r50%", "\r100% done", "\n", "after\n") == ["100% done", "after"]


def test_a_shorter_text_leaves_the_rest_of_the_longer_one() -> None:
    assert show("abcdef\rXY\n") == ["XYcdef"]


def test_stdout_and_stderr_have_cursors_of_their_own() -> None:
    assert show("out", (STDERR, "err"), " more\n", (STDERR, " rest\n")) == ["out more", "ERROR err rest"]


def test_a_line_has_the_time_of_its_first_character() -> None:
    console = Console()
    lines = [*console.write(STDOUT, "T1", "a"), *console.write(STDOUT, "T2", "b\nc"), *console.finish()]
    assert [str(line) for line in lines] == ["T1 ab", "T2 c"]


def test_blank_lines_are_kept_between_lines_only() -> None:
    assert show("a\n\n\nb\n\n") == ["a", "", "", "b"]


def test_the_cursor_moves_up_and_down() -> None:
    assert show("one\ntwo\nthree\r\x1b[A\x1b[AONE\x1b[B-\n") == ["ONE", "two-", "three"]


def test_a_sequence_split_over_fragments_is_still_one() -> None:
    assert show("one\ntwo\r\x1b", "[", "AONE\n") == ["ONE", "two"]


def test_colours_stay_in_the_text() -> None:
    assert show("\x1b[31mred\x1b[0m\n") == ["\x1b[31mred\x1b[0m"]


def test_blanks_at_the_end_of_a_line_are_not_shown() -> None:
    assert show("done  \n", "a  b \n") == ["done", "a  b"]


def test_lines_leave_the_window_as_they_come_and_can_change_no_more() -> None:
    console = Console()
    early = list(console.write(STDOUT, "T", "".join(f"{number}\n" for number in range(WINDOW + 3))))
    assert [line.shown_text for line in early] == ["0", "1", "2"]
    up = "\x1b[A" * 100
    late = [*console.write(STDOUT, "T", f"{up}top"), *console.finish()]
    assert len(late) == WINDOW
    assert sum(line.shown_text == "top" for line in late) == 1


def test_a_long_line_is_not_cut() -> None:
    assert show("x" * 10_000 + "\n") == ["x" * 10_000]


@given(st.text(alphabet="ab \n\r", max_size=60), st.integers(1, 7))
def test_the_cuts_between_fragments_do_not_matter(text: str, size: int) -> None:
    fragments = [text[at : at + size] for at in range(0, len(text), size)]
    assert show(*fragments) == show(text)
