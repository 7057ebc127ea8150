"""Early stopping: following the metric of a sweep's trials, line by line, and finding those that fall behind."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Collection, Iterator

from runframe import extjson
from runframe.filters import MISSING, resolve
from runframe.server.store import lines
from runframe.server.store.sweeps import trials
from runframe.server.store.sweeps.bands import Hyperband
from runframe.server.store.sweeps.config import Metric
from runframe.server.store.sweeps.sweeps import Sweep

_PAGE = 10_000


def stop_early(connection: sqlite3.Connection, sweep: Sweep, active: Collection[str]) -> None:
    """Mark those of an agent's runs that are to be stopped early.

    Args:
        connection: the writer.
        sweep: the sweep.
        active: the names of the runs.
    """
    settings = sweep.settings
    if settings.early_terminate is None or settings.metric is None:
        return
    _follow(connection, sweep, settings.early_terminate, settings.metric)
    rows = connection.execute(
        "SELECT t.run_id, t.best, r.name FROM sweep_trials t JOIN runs r ON r.id = t.run_id"
        " WHERE t.sweep_id = ? AND NOT t.stopped AND t.best IS NOT NULL",
        (sweep.id,),
    ).fetchall()
    behind = [
        row["name"]
        for row in rows
        if row["name"] in active
        and not _goes_on(connection, sweep, settings.early_terminate, settings.metric, row["run_id"], row["best"])
    ]
    trials.stop(connection, sweep, behind)


def _goes_on(
    connection: sqlite3.Connection, sweep: Sweep, rule: Hyperband, metric: Metric, run_id: int, best: float
) -> bool:
    """Whether a trial goes on from the last band that it has reached."""
    own = connection.execute(
        "SELECT band, value FROM sweep_bands WHERE run_id = ? ORDER BY band DESC LIMIT 1", (run_id,)
    ).fetchone()
    if own is None:
        return True
    others = connection.execute(
        "SELECT b.value FROM sweep_bands b JOIN sweep_trials t ON t.run_id = b.run_id"
        " WHERE t.sweep_id = ? AND b.band = ?",
        (sweep.id, own["band"]),
    )
    value = own["value"] if rule.strict else best
    return rule.goes_on(value, [row["value"] for row in others], maximize=metric.maximize)


def _follow(connection: sqlite3.Connection, sweep: Sweep, rule: Hyperband, metric: Metric) -> None:
    """Read what the sweep's trials have logged since the last time."""
    rows = connection.execute(
        "SELECT run_id, last_line, value_count, best FROM sweep_trials WHERE sweep_id = ?", (sweep.id,)
    ).fetchall()
    for row in rows:
        follow = _Following(connection, rule, metric, row["run_id"], row["value_count"], row["best"])
        last = row["last_line"]
        for number, text in _new_lines(connection, row["run_id"], last):
            follow.take(text)
            last = number
        if last != row["last_line"]:
            connection.execute(
                "UPDATE sweep_trials SET last_line = ?, value_count = ?, best = ? WHERE run_id = ?",
                (last, follow.count, follow.best, row["run_id"]),
            )


def _new_lines(connection: sqlite3.Connection, run_id: int, last: int) -> Iterator[tuple[int, str]]:
    after: int | None = last or None
    more = True
    while more:
        page, more = lines.page(connection, run_id, lines.HISTORY, after, _PAGE)
        yield from page
        after = page[-1][0] if page else after


class _Following:
    """One trial's metric so far."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        rule: Hyperband,
        metric: Metric,
        run_id: int,
        count: int,
        best: float | None,
    ) -> None:
        self._connection = connection
        self._rule = rule
        self._metric = metric
        self._run_id = run_id
        self.count = count
        self.best = best

    def take(self, text: str) -> None:
        """Take a line of the history."""
        value = resolve(extjson.loads(text), self._metric.name.split("."))
        if value is MISSING or isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            return
        self.count += 1
        number = _finite(float(value))
        if self.best is None or (number > self.best if self._metric.maximize else number < self.best):
            self.best = number
        if self.count in self._rule.bands(self.count)[-1:]:
            self._connection.execute(
                "INSERT INTO sweep_bands (run_id, band, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (self._run_id, self.count, self.best),
            )


def _finite(value: float) -> float:
    """The value, or the largest there is of its sign: SQLite has no infinity to compare in JSON's sense."""
    return min(max(value, -1.7976931348623157e308), 1.7976931348623157e308)
