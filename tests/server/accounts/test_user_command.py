"""`runframe user add`, beside a store that is served and without one."""

from __future__ import annotations

from pathlib import Path

import pytest
from served_process import ServerProcess

from runframe.cli import main


def add(folder: Path, *words: str) -> int:
    return main(["user", "add", *words, "--dir", str(folder)])


def test_an_account_is_made_while_the_store_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import httpx

    server = ServerProcess(tmp_path / "store")
    try:
        assert add(tmp_path / "store", "ada", "--email", "ada@example.org", "--admin") == 0
        name, key = capsys.readouterr().out.split()
        query = "{ viewer { username email admin } }"
        answer = httpx.post(f"{server.url}/graphql", json={"query": query}, auth=("api", key))
        assert answer.json()["data"]["viewer"] == {"username": "ada", "email": "ada@example.org", "admin": True}
        assert name == "ada"
    finally:
        server.stop()


def test_name_and_key_alone_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "k" * 40
    assert add(tmp_path / "new" / "store", "ada", "--key", key) == 0
    assert capsys.readouterr().out == f"ada {key}\n"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["local"], "'local' is taken"),
        (["a/b"], "'a/b' cannot be a user's name"),
        (["ada", "--key", "short"], "expected 40 or more"),
        (["ada", "--email", "x"], "no e-mail address"),
        ([], "Missing argument 'NAME'"),
    ],
)
def test_what_cannot_be_added_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], part: str
) -> None:
    assert add(tmp_path / "store", *words) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert part in output.err and output.err.count("\n") == 1 and output.err.startswith("runframe: ")


def test_who_has_no_key_is_given_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add(tmp_path, "ada")
    first = capsys.readouterr().out
    assert main(["user", "key", "ada", "--dir", str(tmp_path)]) == 0
    second = capsys.readouterr().out
    assert second.split()[0] == "ada" and second != first
    assert main(["user", "key", "nobody", "--dir", str(tmp_path)]) == 2
    assert "no user 'nobody'" in capsys.readouterr().err
    assert main(["user", "key", "ada", "--dir", str(tmp_path / "none")]) == 2
