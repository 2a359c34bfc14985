"""One process of a search that many share: KerasTuner's chief, which hands out trials, or a worker that runs them.

    KERASTUNER_TUNER_ID=chief|ANY_OTHER KERASTUNER_ORACLE_IP=... KERASTUNER_ORACLE_PORT=... \
        python -m components.size_tuner.workers TASK.json

TASK.json holds what TFX gives a Tuner: `train_files`, `eval_files`, `custom_config`. `--workers N` starts these
processes on one machine; on a cluster each replica runs the same line, the folder of the state being shared.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from common.errors import UserError
from common.processes.parent import end_with

CHIEF = "chief"
_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 10.0  # for workers to find out that the search has ended
_MOST_PER_CORE = 2


def search_together(task: str, count: int) -> None:
    """Run a chief and workers on this machine until the search has ended.

    A worker that exits is not replaced: the chief gives its trial to another when its lease is over.

    Args:
      task: path of the task.
      count: how many workers.

    Raises:
      UserError: more workers than the machine can take; all workers, or the chief, exited.
    """
    port, cores = _free_port(), os.cpu_count() or 1
    if count > _MOST_PER_CORE * cores:
        raise UserError(f"tuner.workers: {count} on a machine of {cores} cores: {_MOST_PER_CORE * cores} at most")
    threads = max(1, cores // count)
    chief = _start(task, CHIEF, port)
    workers = [_start(task, f"worker-{number}", port, threads) for number in range(count)]
    try:
        while chief.poll() is None:
            if all(worker.poll() for worker in workers):  # a worker with exit code 0 has found that all is done
                _fail("all workers exited", workers[0])
            time.sleep(_POLL_SECONDS)
        if chief.returncode:
            _fail("the chief exited", chief)
        _wait_for(workers)
    finally:
        for process in (chief, *workers):
            process.kill()  # even one that is suspended; what it had done is in its checkpoints
            process.wait()


def _wait_for(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end and any(worker.poll() is None for worker in workers):
        time.sleep(_POLL_SECONDS)


def _fail(what: str, process: subprocess.Popen[bytes]) -> None:
    raise UserError(
        f"Tuner: {what} (exit code {process.returncode}; the cause is above). Nothing is lost: the same command resumes"
    )


def _start(task: str, name: str, port: int, threads: int = 1) -> subprocess.Popen[bytes]:
    environment = {
        "KERASTUNER_ORACLE_IP": _LOOPBACK,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": name,
        "no_grpc_proxy": _LOOPBACK,
        "TF_NUM_INTRAOP_THREADS": str(threads),  # together they take as many as there are cores
    }
    # Progress goes where ours goes; what KerasTuner prints when it unpacks messages is of no use.
    return subprocess.Popen(
        [sys.executable, "-m", __name__, task, str(os.getpid())],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=_terminal(),
    )


def _terminal() -> int | None:
    """Find the stream of Python's own lines, which is not that of native code while a run is logged."""
    with contextlib.suppress(OSError, ValueError):
        return sys.stderr.fileno()
    return None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_LOOPBACK, 0))
        return int(free.getsockname()[1])


def main(task: str, parent: int | None = None) -> None:
    """Run one process of a search."""
    if parent is not None:
        end_with(parent)
    from components.size_tuner.tuner import tuner_fn

    with tf.io.gfile.GFile(task, "r") as file:
        given: dict[str, Any] = json.loads(file.read())
    made = tuner_fn(FnArgs(**given))
    made.tuner.search(**made.fit_kwargs)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
