"""The official SDK makes sweeps, runs agents of both kinds, and reads everything back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


@pytest.mark.slow
def test_an_agent_runs_a_function_for_each_point(official: Official) -> None:
    found = official.run("""
        from wandb.agents.pyagent import Agent
        Agent.HEARTBEAT_SLEEP_SECONDS = 0.5
        ran = []
        def train():
            with wandb.init() as run:
                ran.append((run.id, run.sweep_id, dict(run.config)))
                run.log({"loss": (run.config.lr - 0.2) ** 2})
        name = wandb.sweep({
            "method": "grid", "name": "the sweep", "description": "why", "metric": {"name": "loss"},
            "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}, "o": {"parameters": {"k": {"value": 7}}}},
        }, project="p")
        wandb.agent(name, function=train, project="p")
        api = wandb.Api()
        sweep = api.sweep(f"p/{name}")
        result = {"ran": ran, "made": name}
        for key in ("id", "name", "state", "method", "description", "best_loss", "run_count", "expected_run_count",
                    "order", "config", "url", "path"):
            result[key] = getattr(sweep, key)
        result["best"] = sweep.best_run().config["lr"]
        result["runs"] = [(run.id, run.state, run.sweep_name) for run in sweep.runs]
        result["agents"] = [(agent.state, agent.total_runs, [run.id for run in agent.runs(per_page=2)])
                            for agent in sweep.agents()]
        agent = sweep.agents()[0]
        result["agent"] = sweep.agent(agent.name).id == sweep.agent(agent.id).id == agent.id
        result["of the run"] = api.run(f"p/{ran[0][0]}").sweep.id
    """)
    name, ids = found["made"], [run for run, _, _ in found["ran"]]
    assert [(sweep, config) for _, sweep, config in found["ran"]] == [
        (name, {"lr": lr, "o": {"k": 7}}) for lr in (0.1, 0.2, 0.3)
    ]
    assert (found["id"], found["name"], found["state"], found["method"]) == (name, "the sweep", "FINISHED", "grid")
    assert (found["description"], found["path"]) == ("why", ["local", "p", name])
    assert found["config"]["parameters"]["lr"] == {"values": [0.1, 0.2, 0.3]}
    assert (found["best_loss"], found["best"], found["order"]) == (0.0, 0.2, "+summary_metrics.loss")
    assert (found["run_count"], found["expected_run_count"]) == (3, 3)
    assert found["runs"] == [(run, "finished", name) for run in ids]
    assert found["agents"] == [("FINISHED", 3, ids)]
    assert found["agent"] and found["of the run"] == name


@pytest.mark.slow
def test_an_agent_of_the_command_line_starts_a_program_for_each_point(official: Official) -> None:
    found = official.run("""
        import os, pathlib, subprocess, sys
        pathlib.Path("train.py").write_text(
            "import sys, wandb\\nwith wandb.init() as run: run.log({'loss': run.config.lr, 'words': str(sys.argv[1:])})"
        )
        pathlib.Path("sweep.yaml").write_text(
            "{program: train.py, method: random, run_cap: 1, metric: {name: loss},"
            " parameters: {lr: {distribution: q_uniform, min: 8, max: 16, q: 8}}}"
        )
        where = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
        def command(*words):
            process = subprocess.run([sys.executable, "-m", "wandb", *words], env={**os.environ, "PATH": where},
                                     capture_output=True, text=True)
            return process.returncode, process.stdout + process.stderr
        name = wandb.sweep(__import__("yaml").safe_load(open("sweep.yaml")), project="cli")
        path = f"local/cli/{name}"
        def state():
            return wandb.Api().sweep(path).state
        result = [command("sweep", "--resume", path)[0], state(), command("sweep", "--pause", path)[0], state()]
        result += [command("sweep", "--resume", path)[0], command("agent", path)[0], state()]
        result += [(run.state, run.config, run.summary["words"]) for run in wandb.Api().sweep(path).runs]
        result += [command("sweep", "--cancel", path)[0]]
    """)
    assert found[:7] == [0, "RUNNING", 0, "PAUSED", 0, 0, "FINISHED"]
    [(state, config, words)] = found[7:-1]
    assert (state, words) == ("finished", f"['--lr={config['lr']}']") and config["lr"] in (8, 16)
    assert found[-1] == 1  # the SDK refuses to cancel what has finished


def test_sweeps_are_listed_filtered_and_queued(official: Official) -> None:
    found: Any = official.run("""
        grid = wandb.sweep({"method": "grid", "parameters": {"a": {"values": [1, 2]}}}, project="listed")
        other = wandb.sweep({"method": "bayes", "metric": {"name": "x"}, "parameters": {"a": {"min": 0.1, "max": 1.0}}},
                            project="listed")
        api = wandb.Api()
        project = api.project("listed", "local")
        result = {"made": [other, grid], "all": [sweep.id for sweep in project.sweeps(per_page=1)]}
        result["length"] = len(project.sweeps())
        result["filtered"] = [sweep.id for sweep in project.sweeps(filters={"method": {"$ne": "bayes"}})]
        sweep = api.sweep(f"listed/{grid}")
        run = api.run(f"listed/{sweep.enqueue_run({'a': 5}, display_name='by hand')}")
        result["queued"] = (run.name, run.state, run.config, run.sweep_name)
        for name, call in {
            "missing": lambda: api.sweep("listed/none"),
            "endless": lambda: wandb.sweep({"method": "grid", "parameters": {"a": {"min": 0.1, "max": 0.2}}},
                                           project="listed"),
            "agent": lambda: wandb.agent("none", function=print, project="listed"),
        }.items():
            try:
                call()
            except wandb.errors.CommError as error:
                result[name] = str(error)
    """)
    assert found["all"] == found["made"] and found["length"] == 2 and found["filtered"] == [found["made"][1]]
    assert found["queued"] == ("by hand", "pending", {"a": 5}, found["made"][1])
    assert "Could not find sweep" in found["missing"]
    assert "a grid cannot count 'a'" in found["endless"]
    assert "no sweep 'none'" in found["agent"]


@pytest.mark.slow
def test_a_scheduler_of_the_official_sdk_chooses_the_runs(official: Official) -> None:
    found = official.run("""
        import pathlib, subprocess, sys
        from wandb.sdk.sweeps.scheduler.client import run_scheduler
        from wandb.sdk.sweeps.scheduler.optimizer import Optimizer, RunConfig, RunSuggestion
        told = {}
        class Three(Optimizer):
            left = [1, 2, 3]
            def validate_sweep_objective(self):
                pass
            def ask_n_runs(self, n):
                chosen, self.left = self.left[:n], self.left[n:]
                return [RunSuggestion(RunConfig.from_values({"x": x}), f"s{x}") for x in chosen]
            def tell_run(self, run_id, data):
                told[run_id] = (data.state.value, data.summary_metrics.get("loss"))
            def tell_existing_finished_run(self, data):
                pass
            def tell_existing_active_run(self, data):
                return data.wandb_run_id
            def prune_run(self, run_id, data):
                return False
            def has_terminator(self):
                return False
            def should_terminate_sweep(self):
                return False
        name = wandb.sweep({"method": "custom", "controller": {"type": "local"}, "metric": {"name": "loss"},
                            "parameters": {"x": {"values": [1, 2, 3]}}}, project="scheduled")
        pathlib.Path("agent.py").write_text("\\n".join([
            "import wandb",
            "from wandb.agents.pyagent import Agent",
            "Agent.HEARTBEAT_SLEEP_SECONDS = 0.5",
            "def train():",
            "    with wandb.init() as run: run.log({'loss': run.config.x * 1.0})",
            f"wandb.agent('{name}', function=train, project='scheduled', count=3)",
        ]))
        agent = subprocess.Popen([sys.executable, "agent.py"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            done = run_scheduler(entity="local", project="scheduled", sweep_id=name, make_optimizer=Three, batch_size=2,
                                 poll_interval=0.5)
        finally:
            agent.wait(60)
        result = (told, done.message, wandb.Api().sweep(f"scheduled/{name}").state)
    """)
    assert found[0] == {f"s{x}": ("finished", float(x)) for x in (1, 2, 3)}
    assert found[1:] == ("the search space is exhausted", "FINISHED")
