"""A run's data as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from runframe.resources.history.axes import MetricDefinitions
from runframe.resources.run_methods.base import RunBase

if TYPE_CHECKING:
    from runframe.frames.frame import Frame
    from runframe.frames.patterns import Pattern


class FrameMethods(RunBase):
    """What a run logged, as typed columns."""

    def history_frame(
        self,
        keys: Sequence[str] | Pattern | None = None,
        how: Literal["any", "all"] = "any",
        min_step: int | None = None,
        max_step: int | None = None,
        tail: int | None = None,
        shape: Literal["wide", "long"] = "wide",
        *,
        x: str | None = None,
    ) -> Frame:
        r"""The complete history as a frame: every row that was logged, never sampled.

        *Wide*: the columns `run_id` and `_step`, then one a metric, typed by what it holds in all rows; null where it
        was not logged. All keys come with `_runtime` and `_timestamp` too; chosen ones in the order asked for.
        *Long*: a row a value, with the columns `run_id`, `key`, `step`, `time`, `value` (numbers), `text`, `json`
        (lists, media), `type` and `runtime`; see `runframe.frames.melt.LONG`. It takes tens of thousands of metrics.

        Args:
            keys: None for all keys; a list of exact names, as W&B has them (``train.loss`` is also what was logged as
                ``{"train": {"loss": …}}``) or as the columns do (``train\.loss``); an object's name stands for all
                inside it. An empty list is no key. Or a pattern: a text (``"loss|val/*"``: ``*`` any text, ``?`` one
                character, ``|`` between alternatives; what begins with ``_`` has to be asked for with ``_``), a
                compiled regular expression, or a function of a name.
            how: with `keys`, "any" gives the rows that have at least one of them, "all" those that have every one.
            min_step: the first step.
            max_step: the step after the last one; None for all that is logged when reading begins.
            tail: only so many rows, from the end.
            shape: "wide" or "long".
            x: the x axis of the metrics. "auto" is the one that `define_metric` gave to each, else `_step`; or the
                name of one for all. A long frame gets the columns `x_name` and `x` (its value in the same row, null
                where the row has none), a wide one the axes as columns, each metric's named in its field's metadata
                under ``runframe.x`` (empty where runs disagree).

        Returns:
            The frame. Its provenance says whether the run was still being written (live), how many rows were read,
            and how many the server counted.

        Warns:
            UserWarning: no row has a key; near matches are named. Its column is all null.

        Raises:
            UsageError: an argument is malformed.
            NotFoundError: the run isn't there.
            CommError: the server could not be asked.
        """
        from runframe.resources.history.frames import run_frame

        return run_frame(self._run, keys, how, min_step=min_step, max_step=max_step, tail=tail, shape=shape, x=x)

    @property
    def metric_definitions(self) -> MetricDefinitions:
        """What `define_metric` said: a sequence of definitions, with `x_axis(key)` and `frame()`.

        Fetches the run's config, if that is not there yet.
        """
        return MetricDefinitions.from_config(self._run.rawconfig)

    def system_frame(self, shape: Literal["wide", "long"] = "wide") -> Frame:
        """All samples of the machine's metrics, in the order in which they were taken.

        *Wide*: `run_id`, `_runtime` (seconds since the run began), `_timestamp` (seconds since 1970), then a typed
        column a metric, named as it is (``system.cpu``). *Long*: as in `history_frame`, without steps.

        Servers give samples of these; as many are asked for as the server counts, and where fewer come the frame says
        that it is sampled.

        Raises:
            UsageError: there is no such shape.
            NotFoundError: the run isn't there.
            CommError: the server could not be asked.
        """
        from runframe.resources.history.system import system_frame

        return system_frame(self._run, shape)

    def table(self, key: str, *, step: int | None = None) -> Frame:
        """A table that the run logged (`wandb.Table`), with typed columns; media are structs.

        It is read from the artifact that holds it, else from the run's file, which has at most 10,000 rows, times as
        text, and names instead of media. Of a table that was logged in increments all rows come.

        Args:
            key: what it was logged as.
            step: the one that was logged at this step, or last before; None for the one in the summary.

        Returns:
            The frame. Its provenance says where the table was, and how many rows it should have.

        Raises:
            NotFoundError: the run has no such table, or what it leads to is not there any more.
            FrameError: it is no table, or malformed.
            CommError: it could not be fetched.
        """
        from runframe.resources.tables import run_table

        return run_table(self._run, key, step)

    def console_frame(self, tail: int | None = None) -> Frame:
        """What the run printed, a row a line: `run_id`, `number` (from 0), `timestamp`, `level`, `label`, `content`.

        `timestamp` is null where the server doesn't say when a line was printed; `level` is ``error`` for what went to
        stderr, else empty; `label` tells the processes apart that wrote to one run. The lines are read when the frame
        is, and then each time.

        Args:
            tail: only so many lines, from the end.

        Raises:
            UsageError: `tail` is no number of lines.
            NotFoundError: while reading: the run isn't there.
            CommError: while reading: the server could not be asked.
        """
        from runframe.resources.logs import console_frame

        return console_frame(self._run, tail)
