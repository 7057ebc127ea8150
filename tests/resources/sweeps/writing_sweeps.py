"""Sweeps, trials and reports, made by the official packages on whatever server the environment names."""

from __future__ import annotations

import wandb
import wandb_workspaces.reports.v2 as reports
from wandb.agents.pyagent import Agent


def train() -> None:
    with wandb.init() as run:
        run.log({"loss": (run.config["lr"] - 0.2) ** 2, "val": {"acc": run.config["lr"]}})


def main() -> None:
    Agent.HEARTBEAT_SLEEP_SECONDS = 0.3
    grid = {
        "method": "grid",
        "name": "the grid",
        "description": "why",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}, "deep": {"parameters": {"k": {"value": 7}}}},
    }
    wandb.agent(wandb.sweep(grid, project="par"), function=train, project="par")
    metric = {"name": "val.acc", "goal": "maximize"}
    searched = {"method": "bayes", "metric": metric, "parameters": {"lr": {"min": 0.1, "max": 0.9}}}
    wandb.agent(wandb.sweep(searched, project="par"), function=train, project="par", count=2)
    wandb.sweep({"method": "random", "parameters": {"lr": {"values": [1]}}}, project="par")
    with wandb.init(project="par", id="alone") as run:
        run.log({"loss": 9.0})
    order = [reports.OrderBy(reports.SummaryMetric("loss"), ascending=True)]
    runs = reports.Runset("local", "par", filters="Config('lr') >= 0.15 and Summary('loss') <= 3", order=order)
    blocks = [reports.H1("Hello"), reports.PanelGrid(runsets=[runs], panels=[reports.LinePlot(y=["loss"])])]
    for title in ("A title: 50% — ünï / code", "Second", "-- Third --"):
        reports.Report(project="par", entity="local", title=title, description="what", blocks=blocks).save()
    reports.Report(project="par", entity="local", title="A draft").save(draft=True)


if __name__ == "__main__":
    main()
