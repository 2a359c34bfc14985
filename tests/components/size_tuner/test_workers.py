"""Many processes, one search: they begin, end and go on together."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from tfx.components.trainer.fn_args_utils import FnArgs

from common.errors import UserError
from components.size_tuner import executor, workers
from components.size_tuner.tuner import tuner_fn
from tests.components.size_tuner.conftest import custom_config

ROOT = Path(__file__).resolve().parents[3]
TOGETHER = "import sys; from components.size_tuner.workers import search_together; search_together(sys.argv[1], 2)"


def until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def children(process: subprocess.Popen[bytes]) -> list[int]:
    return [child.pid for child in psutil.Process(process.pid).children()]


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_workers_end_when_the_process_that_started_them_is_killed(fn_args: FnArgs, tmp_path: Path):
    task = tmp_path / "task.json"
    given = {name: getattr(fn_args, name) for name in ("train_files", "eval_files", "custom_config")}
    task.write_text(json.dumps(given))
    parent = subprocess.Popen([sys.executable, "-c", TOGETHER, str(task)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        until(lambda: any(tmp_path.glob("tuner-*/trial_*/trial.json")), 300)
        running = children(parent)
        assert len(running) == 3
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        until(lambda: not any(map(lives, running)), 60)
    finally:
        parent.kill()


def test_a_search_of_which_all_is_tried_starts_nobody_whatever_the_number_of_workers(fn_args, tmp_path, monkeypatch):
    made = tuner_fn(fn_args)
    made.tuner.search(**made.fit_kwargs)
    monkeypatch.setattr(executor, "search_together", lambda *_: pytest.fail("somebody was started"))
    fn_args.custom_config = custom_config(tmp_path, workers=2)
    found, _ = executor.search(fn_args)
    assert found.project_dir == made.tuner.project_dir
    assert [row.status for row in found.rows()[0]] == [row.status for row in made.tuner.rows()[0]]


def test_more_workers_than_a_machine_bears_are_refused(tmp_path: Path):
    with pytest.raises(UserError, match=r"tuner.workers: 10000 on a machine of \d+ cores: \d+ at most"):
        workers.search_together(str(tmp_path / "task.json"), 10_000)
