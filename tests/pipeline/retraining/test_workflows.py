"""The workflows only call scripts and targets that are there, with no more rights than they need."""

from __future__ import annotations

import base64
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / ".github" / "workflows"
SCRIPTS = sorted((ROOT / "scripts").glob("*.sh"))

Workflow = dict[Any, Any]


def workflow(name: str) -> Workflow:
    parsed = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in parsed.items()}  # YAML 1.1 reads `on` as true


def steps(of: Workflow) -> list[dict[str, Any]]:
    return [step for job in of["jobs"].values() for step in job["steps"]]


def scripts_of(step: dict[str, Any]) -> list[str]:
    """The script that a step is, in a list; none where it is anything else. Plain options may follow."""
    found = re.fullmatch(r"(?:exec )?(scripts/[a-z_]+\.sh)(?: --[a-z]+ [0-9]+)*", step.get("run", "").strip())
    return [found[1]] if found else []


@pytest.mark.parametrize("name", ["ci", "retrain"])
def test_every_step_is_a_script_or_a_target_that_is_there_or_a_pinned_action(name: str):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for step in steps(workflow(name)):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
            continue
        words = step["run"].split()
        assert (len(words) == 2 and words[0] == "make" and words[1] in targets) or (
            scripts_of(step) and os.access(ROOT / scripts_of(step)[0], os.X_OK)
        ), step["run"]


@pytest.mark.parametrize("name", ["ci", "retrain"])
def test_only_retraining_may_write_and_only_to_the_repository(name: str):
    parsed = workflow(name)
    assert parsed["permissions"] == {"contents": "read"}
    granted = [job.get("permissions") for job in parsed["jobs"].values()]
    assert granted == ([{"contents": "write"}] if name == "retrain" else [None, None])


def test_ci_is_make_test_with_browsers_or_a_failure_and_quick_tests_and_the_demo_on_macos():
    jobs = workflow("ci")["jobs"]
    linux, macos = ([step for step in jobs[name]["steps"] if "run" in step] for name in ("test", "macos"))
    assert [step["run"] for step in linux] == ["scripts/install_browsers.sh", "make test"]
    assert linux[-1]["env"] == {"CI": "true"}
    assert [step["run"] for step in macos] == ["make quick", "make demo"]
    assert {"push", "pull_request"} <= set(workflow("ci")["on"])


def test_ci_tests_both_sets_of_packages_with_a_python_of_theirs():
    jobs = workflow("ci")["jobs"]
    tried = [(one["os"], one["stack"], one["python"]) for one in jobs["test"]["strategy"]["matrix"]["include"]]
    assert tried == [
        ("ubuntu-24.04", "new", "3.13"),
        ("ubuntu-24.04", "old", "3.10"),
        ("ubuntu-22.04", "old", "3.10"),
    ]
    assert jobs["test"]["env"]["SWARA_STACK"] == "${{ matrix.stack }}"
    assert jobs["macos"]["env"]["SWARA_STACK"] == "new"


def test_retraining_begins_with_new_recordings_on_a_schedule_and_by_hand_and_never_overlaps():
    retrain = workflow("retrain")
    assert retrain["on"]["push"]["paths"] == ["configs/recordings.txt"]
    assert set(retrain["on"]) == {"push", "schedule", "workflow_dispatch"}
    assert retrain["concurrency"] == {"group": "retrain", "cancel-in-progress": False}
    assert (ROOT / "configs" / "recordings.txt").is_file()


def test_a_refusal_fails_the_job_but_what_happened_is_kept_and_shown():
    retrain = workflow("retrain")
    made = steps(retrain)
    order = [step.get("run", step.get("uses", "")) for step in made]
    index = {
        word: next(i for i, step in enumerate(order) if word in step) for word in ("restore", "retrain.sh", "keep")
    }
    assert index["restore"] < index["retrain.sh"] < index["keep"]
    assert not [step for step in made if "continue-on-error" in step]
    after = made[index["keep"] :]
    assert [step["if"] for step in after] == ["${{ always() && steps.retrain.outcome != 'skipped' }}"] * 2
    assert made[index["retrain.sh"]]["id"] == "retrain"
    assert "out/*/report.html" in after[-1]["with"]["path"]


def test_a_retraining_that_takes_too_long_ends_while_there_is_time_to_keep_what_it_did():
    [job] = workflow("retrain")["jobs"].values()
    [step] = [step for step in job["steps"] if step.get("id") == "retrain"]
    own = int(step["run"].split("--minutes ")[1])
    assert own + 5 <= step["timeout-minutes"]  # the step's limit is for a program that does not keep to its own
    assert step["timeout-minutes"] + 30 <= job["timeout-minutes"] < 360  # GitHub's own limit, past which nothing runs
    assert not [other for other in job["steps"] if other is not step and "timeout-minutes" in other]


def test_the_signal_of_a_cancelled_retraining_reaches_the_program_itself():
    """GitHub signals only the process that it started: a shell that waits would leave the training behind, at work."""
    [step] = [step for step in steps(workflow("retrain")) if step.get("id") == "retrain"]
    [script] = scripts_of(step)
    assert step["run"].startswith("exec ")
    assert (ROOT / script).read_text(encoding="utf-8").splitlines()[-1].startswith("exec ")


def test_a_secret_reaches_one_step_by_its_environment_and_no_command_line():
    for name in ("ci", "retrain"):
        for step in steps(workflow(name)):
            assert "${{" not in step.get("run", "")
    holding = [step for step in steps(workflow("retrain")) if "secrets." in str(step)]
    assert [step["run"] for step in holding] == ["scripts/fetch_recordings.sh"]


def test_the_token_that_may_write_reaches_the_two_steps_that_use_it_and_no_file():
    made = steps(workflow("retrain"))
    [checkout] = [step for step in made if step.get("uses", "").startswith("actions/checkout@")]
    assert checkout["with"]["persist-credentials"] is False
    holding = [step for step in made if "github.token" in str(step)]
    assert [step["run"] for step in holding] == ["scripts/restore_state.sh", "scripts/keep_state.sh"]
    assert [step["env"] for step in holding] == [{"STATE_TOKEN": "${{ github.token }}"}] * 2


def test_no_workflow_begins_with_what_a_stranger_wrote_in_a_title_or_a_branch():
    for name in ("ci", "retrain"):
        text = (FOLDER / f"{name}.yml").read_text(encoding="utf-8")
        assert not re.search(r"github\.event|github\.head_ref|inputs\.|pull_request_target|workflow_run", text)


def git_with_token(*arguments: str, **variables: str) -> str:
    script = [ROOT / "scripts" / "with_state_token.sh", *arguments]
    env = {key: value for key, value in os.environ.items() if key != "STATE_TOKEN"}
    return subprocess.run(script, env={**env, **variables}, capture_output=True, text=True, check=False).stdout.strip()


def test_git_sends_the_token_to_github_alone_and_is_plain_without_one():
    query = ("config", "--get-urlmatch", "http.extraheader")
    token = base64.b64encode(b"x-access-token:" + b"t" * 90).decode()
    found = git_with_token(*query, "https://github.com/some/where", STATE_TOKEN="t" * 90)
    assert found == f"AUTHORIZATION: basic {token}"
    assert git_with_token(*query, "https://evil.example/github.com", STATE_TOKEN="t" * 90) == ""
    assert git_with_token(*query, "https://github.com/some/where") == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_executable_bash_without_mistakes_of_syntax(script: Path):
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
    done = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
