"""wandb-workspaces writes reports and workspaces, and the official client reads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from served_process import Official, ServerProcess

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    home = tmp_path_factory.mktemp("official")
    server = ServerProcess(home / "store")
    try:
        yield Official(server, home)
    finally:
        assert server.stop() == 0


def test_reports_are_saved_loaded_listed_shared_and_deleted(official: Official) -> None:
    found = official.run("""
        import wandb_workspaces.reports.v2 as wr
        def saved(title, project="p", **how):
            blocks = [wr.H1("Hello"), wr.PanelGrid(runsets=[wr.Runset("local", "p")],
                                                   panels=[wr.LinePlot(x="Step", y=["loss"])])]
            report = wr.Report(project=project, entity="local", title=title, description="why", blocks=blocks)
            return report.save(**how)
        wandb.Api().create_project("p", "local")
        report, draft, other = saved("A title"), saved("A draft", draft=True), saved("Elsewhere", project="made")
        loaded = wr.Report.from_url(report.url)
        result = {"url": report.url, "id": report.id,
                  "loaded": (loaded.id, loaded.title, loaded.description, len(loaded.blocks))}
        loaded.title = "Renamed"
        loaded.save()
        clone = wr.Report.from_url(report.url)
        clone.save(clone=True)
        api = wandb.Api()
        result["listed"] = [(view.display_name, view.id == report.id, view.user["username"], view.spec["version"])
                            for view in api.reports("p", per_page=1)]
        name = list(api.reports("local/p"))[0].name
        result["named"] = [view.name == name for view in api.reports("local/p", name=name)]
        result["shared"] = [report.get_share_url(), report.enable_share_link() == report.enable_share_link(),
                            report.get_share_url() is not None, report.disable_share_link(), report.get_share_url()]
        result["deleted"] = [clone.delete(), draft.delete()]
        result["left"] = [view.display_name for view in wandb.Api().reports("p")]
        result["other"] = [view.display_name for view in wandb.Api().reports("made")]
    """)
    assert found["url"].endswith(f"/local/p/reports/A-title--{found['id']}")
    assert found["loaded"] == (found["id"], "A title", "why", 2)
    assert found["listed"] == [("Renamed", False, "local", 5), ("Renamed", True, "local", 5)]
    assert found["named"] == [True]
    assert found["shared"] == [None, True, True, True, None]
    assert found["deleted"] == [True, True]
    assert (found["left"], found["other"]) == (["Renamed"], ["Elsewhere"])


def test_workspaces_are_saved_and_loaded(official: Official) -> None:
    found = official.run("""
        import wandb_workspaces.reports.v2 as wr
        import wandb_workspaces.workspaces as ws
        wandb.Api().create_project("spaces", "local")
        section = ws.Section(name="one", panels=[wr.LinePlot(x="Step", y=["loss"])])
        workspace = ws.Workspace(name="space", entity="local", project="spaces", sections=[section])
        workspace.save()
        loaded = ws.Workspace.from_url(workspace.url)
        result = [(loaded.name, [section.name for section in loaded.sections])]
        loaded.name = "renamed"
        loaded.save()
        result.append(ws.Workspace.from_url(workspace.url).name)
        loaded.save_as_new_view()
        result.append(loaded.url != workspace.url and ws.Workspace.from_url(loaded.url).name)
        result.append(list(wandb.Api().reports("spaces")))
    """)
    assert found == [("space", ["one"]), "renamed", "renamed", []]


def test_a_custom_chart_is_made(official: Official) -> None:
    found = official.run("""
        result = wandb.Api().create_custom_chart("local", "bars", "Bars", "vega2", "private", {"mark": "bar"})
    """)
    assert found == "local/bars"
