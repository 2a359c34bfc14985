"""Runs a bundle's graphs on TensorFlow.js through `web/validator`: in Chromium, or in Node where there is none."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import UserError
from common.processes.temporary import base_for_sockets, own_folder
from common.sources import source_files
from components.browser_validator.reference import OutputsByCase

WEB = Path(__file__).resolve().parents[2] / "web"
COMMAND = WEB / "dist" / "validator" / "cli.mjs"
BUILD = (  # what the command is built from, with all that these files lead to
    "web/vite.validator.config.ts",
    "web/package.json",
    "web/package-lock.json",
    "web/tsconfig.json",
)
NODE_MAJOR, NODE_MINOR = 20, 19  # as web/package.json has it
GRACE_SECONDS = 40.0  # for starting and closing one browser: a little more than web/validator allows itself


class BrowserDied(RuntimeError):
    """Chromium does not start or crashed twice: a fault of the machine, not of the bundle."""


@dataclass(frozen=True)
class GraphRun:
    """The run of one graph on one backend.

    Attributes:
      error: message of TensorFlow.js where it failed, else empty.
      outputs: case -> output -> float32 values.
      milliseconds: `load`, `cold` (the first run) and `warm` (the second), of the first case.
      gpu_bytes: most GPU memory seen allocated, None where there is no GPU.
    """

    error: str
    outputs: OutputsByCase = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    gpu_bytes: int | None = None


@dataclass(frozen=True)
class BackendRun:
    """The run of all graphs on one backend.

    Attributes:
      error: why it did not finish, else empty.
      graphs: by name; those that were tried.
      renderer: behind WebGL, else empty.
      console: errors that the page wrote to its console.
    """

    error: str
    graphs: Mapping[str, GraphRun] = field(default_factory=dict)
    renderer: str = ""
    console: tuple[str, ...] = ()


@dataclass(frozen=True)
class TfjsRun:
    """The run of a bundle on TensorFlow.js.

    Attributes:
      version: of TensorFlow.js; empty where nothing was reported.
      browser: version of Chromium, or None where the graphs ran in Node.
      backends: by name.
    """

    version: str
    browser: str | None
    backends: Mapping[str, BackendRun]


def require_validator() -> str:
    """Find the Node program, and check that the validator can run.

    Raises:
      UserError: Node is missing or too old, web/node_modules or the built validator is missing, or it was built from
        older sources: the cache would keep its verdict as that of the sources.
    """
    node = shutil.which("node")
    if node is None:
        raise UserError(
            f"node: no such program on PATH. The bundle is checked on TensorFlow.js, which needs Node {NODE_MAJOR} or "
            "newer: install it from https://nodejs.org, then run `make setup`"
        )
    _check_version(node)
    for path in (WEB / "node_modules" / "@tensorflow", COMMAND):
        if not path.exists():
            raise UserError(f"{path}: missing. The bundle is checked on TensorFlow.js: run `make setup` to install it")
    built = COMMAND.stat().st_mtime
    for source in source_files(*BUILD):
        if source.stat().st_mtime > built:
            raise UserError(f"{source}: changed after {COMMAND} was built: run `make setup` to build it again")
    return node


def _check_version(node: str) -> None:
    """Raise UserError where Node is older than what web/ is written for, or does not start."""
    try:
        printed = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        printed = ""
    found = re.match(r"v(\d+)\.(\d+)\.", printed)
    if found is None or (int(found[1]), int(found[2])) < (NODE_MAJOR, NODE_MINOR):
        what = f"Node {printed.strip()[1:20]}" if found else "no Node that starts"
        raise UserError(
            f"{node}: is {what}. The bundle is checked on TensorFlow.js, which needs Node {NODE_MAJOR}.{NODE_MINOR} "
            "or newer: install it from https://nodejs.org, then run `make setup`"
        )


def run_tfjs(bundle: Path, folder: Path, chromium: Path | None, timeout_seconds: float) -> TfjsRun:
    """Run all cases on webgl and wasm in Chromium, or on wasm and cpu in Node.

    Args:
      bundle: folder that holds `controls/` and `full/`.
      folder: with the files of `write_cases`; results go into `folder/out`.
      chromium: the browser to start; None for Node.
      timeout_seconds: s, for one backend.

    Raises:
      UserError: something must be installed first.
      BrowserDied: Chromium does not start, or crashed twice.
      RuntimeError: the validator itself failed.
    """
    out = folder / "out"
    command = [require_validator(), str(COMMAND), "--bundle", str(bundle), "--cases", str(folder), "--out", str(out)]
    command += ["--timeout", str(timeout_seconds), "--parent", str(os.getpid())]
    command += [*(["--chromium", str(chromium)] if chromium else [])]
    # Two backends, each tried again once; the validator keeps its own time, this only catches what hangs it.
    with own_folder(base_for_sockets()) as temporary:  # the browser opens a socket in its profile
        finished = _run(command, temporary, 4 * (timeout_seconds + GRACE_SECONDS))
    if not finished:
        return TfjsRun("", None, {"wasm": BackendRun(f"not finished after {timeout_seconds:g} s")})
    return read_report(out)


def _run(command: list[str], temporary: Path, limit: float) -> bool:
    """Run the validator; return whether it ended in time. It and its browser are gone afterwards, whatever happens."""
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return False
        finally:
            _stop(process)
    if process.returncode:
        raise RuntimeError(f"the bundle validator failed with exit code {process.returncode}: {errors.strip()[-2000:]}")
    return True


def _stop(process: subprocess.Popen[str]) -> None:
    """Terminate, so that Node closes its browser, then kill; a browser whose Node is gone ends by itself."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def read_report(out: Path) -> TfjsRun:
    """Read `report.json` and the values beside it.

    Raises:
      BrowserDied: the report states so.
    """
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    backends = report["backends"]
    for run in backends.values():
        if run["died"]:
            raise BrowserDied(
                f"Chromium failed twice while it checked the bundle: {run['error']}. Try again, set SWARA_CHROMIUM to "
                "another one, or SWARA_CHROMIUM=none to go without"
            )
    versions = [run["browser"] for run in backends.values() if run["browser"]]
    return TfjsRun(
        version=report["tfjs"],
        browser=versions[0] if versions else None,
        backends={name: _backend(out, run) for name, run in backends.items()},
    )


def _backend(out: Path, raw: Mapping[str, Any]) -> BackendRun:
    return BackendRun(
        error=raw["error"] or "",
        graphs={name: _graph(out, graph) for name, graph in raw["graphs"].items()},
        renderer=raw["renderer"] or "",
        console=tuple(raw["console"]),
    )


def _graph(out: Path, raw: Mapping[str, Any]) -> GraphRun:
    if raw["error"] is not None:
        return GraphRun(raw["error"])
    outputs = {
        case: {name: np.fromfile(out / at["file"], "<f4").reshape(at["shape"]) for name, at in values.items()}
        for case, values in raw["cases"].items()
    }
    milliseconds = {key: raw[f"{key}Ms"] for key in ("load", "cold", "warm")}
    return GraphRun("", outputs, milliseconds, raw["gpuBytes"])
