"""One process of a search that many share: KerasTuner's chief, which hands out trials, or a worker that runs them.

    KERASTUNER_TUNER_ID=chief|ANY_OTHER KERASTUNER_ORACLE_IP=... KERASTUNER_ORACLE_PORT=... \
        python -m components.size_tuner.workers TASK.json

TASK.json holds what TFX gives a Tuner: `train_files`, `eval_files`, `custom_config`. `--workers N` starts these
processes on one machine; on a cluster each replica runs the same line, the folder of the state being shared.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.components.trainer.fn_args_utils import FnArgs

from models.errors import UserError

CHIEF = "chief"
_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.5


def search_together(task: str, workers: int) -> None:
    """Runs a chief and workers on this machine until the search has ended.

    A worker that dies is done without: the chief gives its trial to another when its lease is over.

    Args:
      task: path of the task.
      workers: how many.

    Raises:
      UserError: all workers, or the chief, died.
    """
    port = _free_port()
    threads = max(1, (os.cpu_count() or 1) // workers)
    chief = _start(task, CHIEF, port)
    crew = [_start(task, f"worker-{number}", port, threads) for number in range(workers)]
    try:
        while chief.poll() is None:
            if all(worker.poll() is not None for worker in crew) and any(worker.returncode for worker in crew):
                _fail("all workers died", crew[0])
            time.sleep(_POLL_SECONDS)
        if chief.returncode:
            _fail("the chief died", chief)
        for worker in crew:
            worker.wait()
    finally:
        for process in (chief, *crew):
            process.terminate()
        for process in (chief, *crew):
            process.wait()


def _fail(what: str, process: subprocess.Popen[bytes]) -> None:
    raise UserError(
        f"Tuner: {what} (exit code {process.returncode}; why stands above). Nothing is lost: the same command goes on"
    )


def _start(task: str, name: str, port: int, threads: int = 1) -> subprocess.Popen[bytes]:
    place = {
        "KERASTUNER_ORACLE_IP": _LOOPBACK,
        "KERASTUNER_ORACLE_PORT": str(port),
        "KERASTUNER_TUNER_ID": name,
        "TF_NUM_INTRAOP_THREADS": str(threads),  # together they take as many as there are cores
    }
    # Progress goes where ours goes; what KerasTuner prints when it unpacks messages is for nobody.
    return subprocess.Popen(
        [sys.executable, "-m", __name__, task],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, **place},
        stdout=subprocess.DEVNULL,
        stderr=sys.stderr,
    )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_LOOPBACK, 0))
        return int(free.getsockname()[1])


def main(task: str) -> None:
    """What each process does."""
    from components.size_tuner.tuner import tuner_fn

    with tf.io.gfile.GFile(task, "r") as file:
        given: dict[str, Any] = json.loads(file.read())
    made = tuner_fn(FnArgs(**given))
    made.tuner.search(**made.fit_kwargs)


if __name__ == "__main__":
    main(sys.argv[1])
