"""The states of sweeps and agents, as SQL.

As with runs, what follows from silence is never written: a sweep that has nothing left to try is finished when the last
of its runs has ended, in whatever way, and an agent that says nothing has crashed.
"""

from __future__ import annotations

from runframe.server.store import states, times
from runframe.server.store.states import Grace

#: States that a sweep can be put into.
STATES = ("PENDING", "RUNNING", "PAUSED", "FINISHED", "CANCELED")


def state_sql(grace: Grace, sweep: str = "s") -> str:
    """The SQL expression of the state of the sweeps table's rows, at this moment.

    Args:
        grace: how long runs and agents may be silent.
        sweep: the name that the sweeps table has in the query.
    """
    return (
        f"CASE WHEN {sweep}.exhausted AND {sweep}.state IN ('PENDING', 'RUNNING') AND NOT EXISTS"
        f" (SELECT 1 FROM runs r WHERE r.project_id = {sweep}.project_id AND r.sweep_name = {sweep}.name"
        f" AND {alive_sql(grace)}) THEN 'FINISHED' ELSE {sweep}.state END"
    )


def alive_sql(grace: Grace, run: str = "r") -> str:
    """The SQL condition for runs of a sweep that go on, or are waiting for an agent that is there.

    Args:
        grace: how long runs and agents may be silent.
        run: the name that the runs table has in the query.
    """
    return (
        f"(({states.state_sql(grace, run)}) IN ('running', 'preempting') OR ({run}.state = 'pending' AND EXISTS"
        f" (SELECT 1 FROM sweep_trials t LEFT JOIN sweep_agents a ON a.id = t.agent_id WHERE t.run_id = {run}.id"
        f" AND (t.agent_id IS NULL OR a.heartbeat_at >= '{times.ago(grace.running)}'))))"
    )


def agent_state_sql(grace: Grace, agent: str = "a") -> str:
    """The SQL expression of the state of the sweep_agents table's rows, at this moment.

    Args:
        grace: how long an agent may be silent.
        agent: the name that the table has in the query.
    """
    return (
        f"CASE WHEN {agent}.left THEN 'FINISHED' WHEN {agent}.heartbeat_at < '{times.ago(grace.running)}'"
        f" THEN 'CRASHED' ELSE 'RUNNING' END"
    )
