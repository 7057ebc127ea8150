"""Runs, histories, files, projects, people and errors, as a user's program has them."""

from __future__ import annotations

from typing import Any, assert_type

import pandas as pd
import polars as pl

import runframe
from runframe import (
    Api,
    ArgumentError,
    AuthenticationError,
    CommError,
    ConsoleLogLine,
    ConsoleLogs,
    DownloadHistoryResult,
    Error,
    File,
    Files,
    Frame,
    HistoryScan,
    IncompleteRunHistoryError,
    LogError,
    Member,
    Members,
    NotFoundError,
    PathError,
    Project,
    Projects,
    Run,
    RunNotFoundError,
    Runs,
    Scan,
    ServerError,
    SettingsError,
    Team,
    TransportError,
    UnsupportedError,
    UsageError,
    User,
    Users,
    WaitTimeoutError,
    WandbApiFailedError,
    WandbCoreNotAvailableError,
)


def listing(api: Api) -> list[str]:
    runs = api.runs("entity/project", filters={"state": "finished"}, order="-created_at")
    assert_type(runs, Runs)
    assert_type(len(runs), int)
    assert_type(runs[0], Run)
    assert_type(runs[:3], list[Run])
    assert_type([run.name for run in runs], list[str | None])
    assert_type(runs.frame(["id", "config.lr"]), Frame)
    assert_type(runs.configs(), Frame)
    assert_type(runs.configs("polars"), pl.DataFrame)
    assert_type(runs.configs(format="pandas"), pd.DataFrame)
    assert_type(runs.summaries(format="default"), list[dict[str, Any]])
    assert_type(runs.summaries("frame"), Frame)
    assert_type(runs.histories_frame(keys=["loss"]), Frame)
    assert_type(runs.tables("samples"), Frame)
    assert_type(runs.histories(), list[dict[str, Any]])
    assert_type(runs.histories(format="pandas"), pd.DataFrame)
    assert_type(runs.histories(100, ["loss"], format="polars"), pl.DataFrame)
    assert_type(runs.to_polars(["id"]), pl.DataFrame)
    assert_type(runs.scan(["id"], where={"state": "finished"}, limit=3), Scan)
    assert_type(runs.scan().frame(), Frame)
    assert_type(runs.scan().to_polars(), pl.DataFrame)
    assert_type(runs.lazy(where=pl.col("state") == "finished"), pl.LazyFrame)
    assert_type(api.sql("select id from runs", project="entity/project"), Frame)
    assert_type(runs.to_pandas(), pd.DataFrame)
    runs.configs("csv")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue]
    return [run.id for run in runs]


def one(api: Api) -> float:
    run = api.run("entity/project/id")
    assert_type(run, Run)
    assert_type(run.id, str)
    assert_type(run.name, str | None)
    assert_type(run.state, str)
    assert_type(run.config, dict[str, Any])
    assert_type(run.history(pandas=False), list[dict[str, Any]])
    assert_type(run.history(), list[dict[str, Any]] | pd.DataFrame)
    assert_type(run.scan_history(keys=["loss"]), HistoryScan)
    for frame in (run.history_frame(), run.system_frame(), run.console_frame(), run.table("samples")):
        assert_type(frame, Frame)
    assert_type(run.files(), Files)
    assert_type(run.files()[0], File)
    assert_type(run.download_history_exports("folder"), DownloadHistoryResult)
    assert_type(run.console_logs(last=10), ConsoleLogs)
    for line in run.console_logs():
        assert_type(line, ConsoleLogLine)
    assert_type(run.file("a.txt"), File)
    for row in run.scan_history():
        assert_type(row, dict[str, Any])
    return float(run.summary.get("loss", 0.0))


def places(api: Api) -> None:
    assert_type(api.projects("entity"), Projects)
    assert_type([project.name for project in api.projects()], list[str])
    assert_type(api.project("name", entity="entity"), Project)
    assert_type(api.user("name"), User | None)
    assert_type(api.users("name"), Users)
    assert_type(api.team("team"), Team)
    for member in api.team("team").members:
        assert_type(member, Member)
    assert_type(api.team("team").members, Members)


def errors(api: Api) -> list[type[Error]]:
    try:
        api.run("entity/project/id")
    except (RunNotFoundError, AuthenticationError) as error:
        assert_type(error, RunNotFoundError | AuthenticationError)
        assert_type(error.path, str | None)
        raise
    except CommError as error:
        assert_type(error.message, str)
    return [
        ArgumentError,
        IncompleteRunHistoryError,
        LogError,
        NotFoundError,
        PathError,
        ServerError,
        SettingsError,
        TransportError,
        UnsupportedError,
        UsageError,
        WaitTimeoutError,
        WandbApiFailedError,
        WandbCoreNotAvailableError,
    ]


def opened() -> str:
    with Api(overrides={"entity": "e"}, timeout=30) as api:
        assert_type(api, Api)
    with runframe.Api("local:folder") as api:
        return runframe.__version__
