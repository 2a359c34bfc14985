"""Pushes in processes of their own, which may be killed or starved of disk space.

They are forked from a server process that never loaded TensorFlow, as the one that runs the tests may have.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jsonschema  # noqa: F401 - here, lest every child imports it
import pytest

from bundles.publish import publish
from common.errors import UserError

FILE_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "os.listdir"}
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, "pytest"])


class Forker:
    """A process without TensorFlow that forks a child for every piece of work: milliseconds, not a second."""

    def __init__(self) -> None:
        self._here, there = FORKS.Pipe()
        self._process = FORKS.Process(target=_fork_on_demand, args=(there,), daemon=True)
        self._process.start()

    def run(self, work: Callable[..., None], *arguments: Any) -> int:
        """Runs work in a child to its end; returns the signal that ended it, or 0."""
        self._here.send((work, arguments))
        assert self._here.poll(60), "the child hangs"
        status = self._here.recv()
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed; see standard error"
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def close(self) -> None:
        self._process.terminate()
        self._process.join()


def _fork_on_demand(requests: Connection) -> None:
    while True:
        work, arguments = requests.recv()
        child = os.fork()
        if child == 0:
            _work_and_leave(work, arguments)
        requests.send(os.waitpid(child, 0)[1])


def _work_and_leave(work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    try:
        work(*arguments)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def push_and_die(
    event: int,
    bundle: Path,
    root: Path,
    now: datetime,
    metrics: dict[str, float] | None,
    keep_versions: int | None = None,
) -> None:
    """Publishes, but is killed just before its `event`-th operation on a file."""
    seen = 0

    def count(name: str, _: tuple) -> None:
        nonlocal seen
        if name in FILE_EVENTS:
            seen += 1
            if seen == event:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    publish(bundle, root, now, metrics, keep_versions)


def push_without_space(bundle: Path, root: Path, now: datetime) -> None:
    """Publishes where the system refuses to write more than 1,000 bytes into any file."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    _expect("File too large", bundle, root, now)


def push_without_permission(bundle: Path, root: Path, now: datetime) -> None:
    """Publishes as a user who may not write to the folder."""
    if os.geteuid() == 0:
        os.setuid(65534)  # root may write anywhere: be nobody
    _expect("Permission denied", bundle, root, now)


def _expect(message: str, bundle: Path, root: Path, now: datetime) -> None:
    with pytest.raises(UserError, match=f"cannot publish: {message}.*The version served before is still served"):
        publish(bundle, root, now)
