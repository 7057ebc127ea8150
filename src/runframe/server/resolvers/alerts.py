"""Alerts that runs raised."""

from __future__ import annotations

from ariadne import ObjectType

from runframe.server.context import Info
from runframe.server.store import alerts, ids, runs

run_type = ObjectType("Run")
alert_type = ObjectType("RunAlert")


@run_type.field("alerts")
def _resolve_alerts(run: runs.Run, info: Info) -> list[alerts.Alert]:
    return alerts.of_run(info.context.connection, run.id)


@alert_type.field("id")
def _resolve_id(alert: alerts.Alert, _: Info) -> str:
    return ids.encode("RunAlert", alert.id)


alert_type.set_alias("waitDuration", "wait_duration")
alert_type.set_alias("createdAt", "created_at")

BINDABLES = (run_type, alert_type)
