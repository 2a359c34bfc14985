"""A Flink cluster with Beam's job server on this machine: a job manager, task managers and the job server, on loopback.

    .venv/bin/python -m scripts.flink.cluster [--task-managers 2] [--folder out/flink]

prints the settings of a run that is to use it, and stops it all on Ctrl-C. A task manager that dies is replaced, as a
cluster does it. Java 11 or 17 and Maven are needed; the first time Maven fetches 140 jars.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from common.errors import Stopped, UserError
from pipeline import command

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
JARS = HERE / "jars.sha256"
SETTINGS = "settings"  # file with the settings of a run on the cluster, written once it is ready
CLUSTER_LOCK = "cluster.lock"
OURS = (CLUSTER_LOCK, "flink-conf.yaml", SETTINGS)  # a folder that has any of these was a cluster's
LOOPBACK = "127.0.0.1"
START_SECONDS, STOP_SECONDS = 60.0, 10.0
TASK_MANAGER_HEAP = 1536  # MB: of framework and tasks in flink-conf.yaml
# Without memory, Beam's servers lose a thread, and the job waits for ever: a process that dies is replaced.
DIE_WITHOUT_MEMORY = "-XX:+ExitOnOutOfMemoryError"
JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
JOB_SERVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"
OPENED = (
    "java.lang",
    "java.net",
    "java.nio",
    "java.time",
    "java.util",
    "sun.net.util",
)  # Flink reflects on their classes


class Cluster:
    """Starts on entry, stops on exit. Its folder holds configuration, logs and what tasks spill.

    Args:
      folder: is made anew, if it is absent, empty or was a cluster's.
      task_managers: how many, of one slot and one Python worker each.

    Raises:
      UserError: Java or Maven are absent, the jars are not those of the lock, or the folder is not a cluster's, or is
        that of a running cluster.
      Stopped: a process does not start; the message names its log.
    """

    def __init__(self, folder: Path, task_managers: int = 2):
        self._folder = folder.resolve()
        self._task_managers = task_managers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._rpc_port, self._rest_port = free_ports(2)
        self._started = 0
        self._folder_lock = contextlib.ExitStack()

    @property
    def flink_master(self) -> str:
        """Host and port of the job manager's REST service."""
        return f"{LOOPBACK}:{self._rest_port}"

    @property
    def settings(self) -> list[str]:
        """Values of `--set` for a run. The job server and the worker's program are those of this machine."""
        return [
            *("beam.runner=flink", f"beam.job_endpoint={self._job_endpoint}"),
            *("beam.environment=PROCESS", f"beam.environment_config={self._folder / 'worker'}"),
            f"beam.workers={self._task_managers}",
        ]

    @property
    def jar(self) -> Path:
        """A jar that refers to all others; run, it is the job server."""
        return self._folder / "job-server.jar"

    @property
    def task_managers(self) -> dict[str, int]:
        """Process ids of those that are alive, by name."""
        return {
            name: process.pid for name, process in self._processes.items() if "task" in name and process.poll() is None
        }

    def __enter__(self) -> Cluster:
        jars = find_jars()
        self._folder_lock.enter_context(fresh(self._folder))
        try:
            write_pathing_jar(self.jar, jars, JOB_SERVER)
            self._write_configuration()
            self._java("job-manager", 512, JOB_MANAGER, "--configDir", str(self._folder))
            self._await("job-manager", lambda: self.registered() == 0)
            for _ in range(self._task_managers):
                self.add_task_manager()
            self._start_job_server()
            self._await("task-manager-1", lambda: self.registered() == self._task_managers)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def add_task_manager(self) -> str:
        """Start one more and return its name; it joins within seconds."""
        self._started += 1
        name = f"task-manager-{self._started}"
        identity = ("-D", f"taskmanager.resource-id={name}")
        self._java(name, TASK_MANAGER_HEAP, TASK_MANAGER, "--configDir", str(self._folder), *identity)
        return name

    def replace_dead(self) -> list[str]:
        """Start a task manager for each that has died. Return the names of the new ones."""
        return [self.add_task_manager() for _ in range(self._task_managers - len(self.task_managers))]

    def kill(self, name: str) -> None:
        """End a process as a machine that fails does: SIGKILL."""
        self._processes[name].kill()
        self._processes[name].wait()

    def log(self, name: str) -> Path:
        """Return the log file of a process; a task manager's has the output of its Python worker, too."""
        return self._folder / f"{name}.log"

    def registered(self) -> int | None:
        """Count the task managers of the job manager; None while it does not respond."""
        overview = self.request("/overview")
        return None if overview is None else int(overview["taskmanagers"])

    def request(self, path: str) -> dict | None:
        """Request a path of the job manager's REST service; None where it does not respond."""
        try:
            with urllib.request.urlopen(f"http://{self.flink_master}{path}", timeout=5.0) as response:
                return dict(json.load(response))
        except OSError:
            return None

    def stop(self) -> None:
        """Stop all processes: SIGTERM first, then SIGKILL."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in self._processes.values()) and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in self._processes.values():
            process.kill()
            process.wait()
        self._folder_lock.close()

    def _write_configuration(self) -> None:
        added = {
            "jobmanager.rpc.port": self._rpc_port,
            "rest.port": self._rest_port,
            "io.tmp.dirs": self._folder / "tmp",
        }
        lines = [f"{key}: {value}" for key, value in added.items()]
        text = (HERE / "flink-conf.yaml").read_text(encoding="utf-8") + "\n" + "\n".join(lines) + "\n"
        (self._folder / "flink-conf.yaml").write_text(text, encoding="utf-8")
        (self._folder / "tmp").mkdir()
        worker = self._folder / "worker"
        worker.write_text(f'#!/bin/sh\ncd "{ROOT}" && exec "{sys.executable}" -m scripts.flink.boot "$@"\n')
        worker.chmod(0o755)

    def _start_job_server(self) -> None:
        # With port 0 it listens on loopback only; with a given port, on every network.
        ports = [f"--{name}-port=0" for name in ("job", "artifact", "expansion")]
        addresses = [f"--flink-master={self.flink_master}", f"--artifacts-dir={self._folder / 'artifacts'}"]
        self._java("job-server", 512, JOB_SERVER, *addresses, *ports)
        self._await("job-server", lambda: self._job_endpoint is not None)

    @property
    def _job_endpoint(self) -> str | None:
        found = re.search(r"JobService started on (\S+:\d+)", self.log("job-server").read_text(errors="replace"))
        return found[1] if found else None

    def _java(self, name: str, heap_megabytes: int, main: str, *arguments: str) -> None:
        opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
        options = [f"-Xmx{heap_megabytes}m", DIE_WITHOUT_MEMORY, *opened]
        with self.log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(
                ["java", *options, "-cp", str(self.jar), main, *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                start_new_session=True,  # Ctrl-C is for this program, which then stops them
            )

    def _await(self, name: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if self._processes[name].poll() is not None or time.monotonic() > deadline:
                raise Stopped(RuntimeError(f"{name} does not start"), self.log(name))
            time.sleep(0.2)


@contextlib.contextmanager
def fresh(folder: Path) -> Iterator[None]:
    """Empty a cluster's folder, or make one, and lock it for one cluster.

    Raises:
      UserError: it holds something else, a running cluster has it, or it cannot be written.
    """
    try:
        if folder.exists() and any(folder.iterdir()) and not any((folder / name).is_file() for name in OURS):
            raise UserError(f"{folder}: holds something else than a cluster: empty it or choose another --folder")
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / CLUSTER_LOCK).open("a")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({error.strerror}): choose another --folder") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: a running cluster has it: stop that or choose another --folder") from None
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != CLUSTER_LOCK:  # whoever waits for it must find the same file
                path.unlink()
        yield


def find_jars() -> list[Path]:
    """Find the jars that pom.xml names, fetched where they are absent, in the order of the class path.

    Raises:
      UserError: Java or Maven are absent, Maven cannot fetch, or a jar is not the one of the lock.
    """
    for program, package in (("java", "Java 11 or 17"), ("mvn", "Maven")):
        if shutil.which(program) is None:
            raise UserError(f"{program}: not found: a Flink cluster needs {package} on the PATH")
    with tempfile.NamedTemporaryFile("r") as class_path:
        fetch = ["dependency:build-classpath", f"-Dmdep.outputFile={class_path.name}"]
        maven = ["mvn", "-q", "-B", "--strict-checksums", "-f", str(HERE / "pom.xml"), *fetch]
        done = subprocess.run(maven, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        jars = [Path(path) for path in Path(class_path.name).read_text(encoding="utf-8").split(os.pathsep)]
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
        raise UserError(f"mvn: cannot fetch what {HERE / 'pom.xml'} names: {' '.join(errors[:1])}")
    locked = JARS.read_text(encoding="utf-8").splitlines()
    for jar in jars:
        if f"{hashlib.sha256(jar.read_bytes()).hexdigest()}  {jar.name}" not in locked:
            raise UserError(f"{jar}: not a jar of {JARS}: remove it and let Maven fetch it again")
    return jars


def write_pathing_jar(path: Path, jars: list[Path], main: str) -> None:
    """Write a jar without classes whose manifest names other jars: a class path as one file, and a program to run."""
    attributes = {
        "Main-Class": main,
        "Add-Opens": " ".join(f"java.base/{package}" for package in OPENED),
        "Class-Path": " ".join(jar.as_uri() for jar in jars),
    }
    # A line has 72 bytes at most; one that begins with a space goes on with the one before.
    lines = "".join(f"{line}\r\n" for key, value in attributes.items() for line in folded(f"{key}: {value}"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", f"Manifest-Version: 1.0\r\n{lines}")


def folded(text: str, width: int = 70) -> list[str]:
    """Fold ASCII text into lines of a manifest."""
    return [text[:width], *(" " + text[at : at + width - 1] for at in range(width, len(text), width - 1))]


def free_ports(count: int) -> list[int]:
    """Find ports of loopback on which nothing listens now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for unbound in sockets:
            unbound.bind((LOOPBACK, 0))
        return [bound.getsockname()[1] for bound in sockets]


def keep(arguments: argparse.Namespace) -> command.Result:
    """Run a cluster until it is interrupted."""
    with contextlib.suppress(KeyboardInterrupt), Cluster(arguments.folder, arguments.task_managers) as cluster:
        settings = " ".join(f"--set {setting}" for setting in cluster.settings)
        (arguments.folder / SETTINGS).write_text(settings)
        print(f"A Flink cluster runs at http://{cluster.flink_master}, with logs in {arguments.folder}.")
        print(*(f"{name} is process {pid}" for name, pid in cluster.task_managers.items()), sep="\n")
        print(f"Use it: .venv/bin/python local_runner.py run ... $(cat {arguments.folder / SETTINGS})", flush=True)
        while True:
            time.sleep(1.0)
            for name in cluster.replace_dead():
                print(f"a task manager died: {name} replaces it", flush=True)
    return command.DONE, {}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="scripts.flink.cluster", description=__doc__.splitlines()[0])
    top.add_argument("--task-managers", type=int, default=2, metavar="N", help="of one worker each (default: 2)")
    top.add_argument("--folder", type=Path, default=Path("out/flink"), help="for logs (default: out/flink)")
    top.set_defaults(handler=keep, json=False)
    return top


if __name__ == "__main__":
    command.leave(command.main(parser(), None))
