"""What the command prints: data on stdout, everything said to a person on stderr."""

from __future__ import annotations

import typer


def say(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    typer.echo("runframe: " + " ".join(message.split()), err=True)


def note(message: str) -> None:
    """A line for a person, on stderr: never part of the data."""
    typer.echo(message, err=True)


def count(number: int, noun: str) -> str:
    """`1 run`, `12 runs`, `1,200 runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def size(number: int) -> str:
    """Bytes as a person reads them: `840 B`, `1.2 MB`."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"
