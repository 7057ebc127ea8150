"""A run's state, as SQL: what was said of it, and what its silence says.

A process that is killed says nothing (protocol, section 4): "crashed" is never written, it follows from the age of the
last heartbeat whenever the state is read, in filters too.
"""

from __future__ import annotations

from dataclasses import dataclass

from runframe.server.store import times

#: States that a run can be put into.
STATES = frozenset({"running", "pending", "finished", "failed", "crashed", "killed", "preempting", "preempted"})

#: What the operation UpdateRunState may make of a run, and of which (as the official client documents it).
TRANSITIONS = {
    "pending": frozenset({"running", "failed", "crashed", "preempted"}),
    "failed": frozenset({"pending", "running"}),
}


@dataclass(frozen=True, slots=True)
class Grace:
    """How long a run may be silent.

    Attributes:
        running: seconds after which a running run counts as crashed.
        preempting: seconds after which a run that announced its preemption counts as preempted.
    """

    running: float = 300.0
    preempting: float = 3600.0


def state_sql(grace: Grace, run: str = "r") -> str:
    """The SQL expression of the state of the runs table's rows, at this moment.

    Args:
        grace: how long a run may be silent.
        run: the name that the runs table has in the query.
    """
    silent, gone = times.ago(grace.running), times.ago(grace.preempting)
    return (
        f"CASE WHEN {run}.state <> 'running' THEN {run}.state"
        f" WHEN {run}.preempting AND {run}.heartbeat_at < '{gone}' THEN 'preempted'"
        f" WHEN {run}.preempting THEN 'preempting'"
        f" WHEN {run}.heartbeat_at < '{silent}' THEN 'crashed'"
        f" ELSE 'running' END"
    )


def final_state(exit_code: int, *, preempting: bool) -> str:
    """The state that an exit code leaves a run in."""
    if exit_code == 0:
        return "finished"
    return "preempted" if preempting else "failed"
