"""Runs a bundle's graphs on TensorFlow.js through `web/validator`: in Chromium, or in Node where there is none."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import UserError
from components.browser_validator.reference import Outputs

WEB = Path(__file__).resolve().parents[2] / "web"
COMMAND = WEB / "dist" / "validator" / "cli.mjs"
NODE_MAJOR = 20
GRACE_SECONDS = 40.0  # for starting and closing one browser: a little more than web/validator allows itself


class BrowserDied(RuntimeError):
    """Chromium does not start or crashed twice: a fault of the machine that says nothing about the bundle."""


@dataclass(frozen=True)
class GraphRun:
    """What one graph did on one backend.

    Attributes:
      error: what TensorFlow.js said where it failed, else empty.
      outputs: case -> output -> float32 values.
      milliseconds: `load`, `cold` (the first run) and `warm` (the second), of the first case.
      gpu_bytes: most GPU memory seen allocated, None where there is no GPU.
    """

    error: str
    outputs: Outputs = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    gpu_bytes: int | None = None


@dataclass(frozen=True)
class BackendRun:
    """What one backend did.

    Attributes:
      error: what kept it from doing all its work, else empty.
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
    """What TensorFlow.js did with a bundle.

    Attributes:
      version: of TensorFlow.js; empty where it did not get to say.
      browser: version of Chromium, or None where the graphs ran in Node.
      backends: by name.
    """

    version: str
    browser: str | None
    backends: Mapping[str, BackendRun]


def require_validator() -> str:
    """The Node program, once all that is needed is there.

    Raises:
      UserError: Node, web/node_modules or the built validator is missing.
    """
    node = shutil.which("node")
    if node is None:
        raise UserError(
            f"node: no such program on PATH. The bundle is checked on TensorFlow.js, which needs Node {NODE_MAJOR} or "
            "newer: install it from https://nodejs.org, then run `make setup`"
        )
    for path in (WEB / "node_modules" / "@tensorflow", COMMAND):
        if not path.exists():
            raise UserError(f"{path}: missing. The bundle is checked on TensorFlow.js: run `make setup` to install it")
    return node


def run_tfjs(bundle: Path, folder: Path, chromium: Path | None, timeout_seconds: float) -> TfjsRun:
    """Run all cases on webgl and wasm in Chromium, or on wasm and cpu in Node.

    Args:
      bundle: folder that holds `controls/` and `full/`.
      folder: holds what `write_cases` wrote; results go into `folder/out`.
      chromium: the browser to start; None for Node.
      timeout_seconds: for one backend.

    Raises:
      UserError: something must be installed first.
      BrowserDied: Chromium does not start, or crashed twice.
      RuntimeError: the validator itself failed.
    """
    out = folder / "out"
    command = [require_validator(), str(COMMAND), "--bundle", str(bundle), "--cases", str(folder), "--out", str(out)]
    command += ["--timeout", str(timeout_seconds), *(["--chromium", str(chromium)] if chromium else [])]
    # Two backends, each tried again once; the validator keeps its own time, this only catches what hangs it.
    with _temporary_folder() as temporary:
        finished = _run(command, temporary, 4 * (timeout_seconds + GRACE_SECONDS))
    if not finished:
        return TfjsRun("", None, {"wasm": BackendRun(f"not finished after {timeout_seconds:g} s")})
    return read_report(out)


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Where the browser keeps its profile. It opens a socket there, whose path must not exceed 104 bytes."""
    base = tempfile.gettempdir()
    return tempfile.TemporaryDirectory(
        prefix="swara-", dir=base if len(base) <= 40 else "/tmp", ignore_cleanup_errors=True
    )


def _run(command: list[str], temporary: str, limit: float) -> bool:
    """Whether the validator ended in time. It and its browser are gone afterwards, whatever happens."""
    environment = {**os.environ, "TMPDIR": temporary}
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
            _, said = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            return False
        finally:
            _stop(process)
    if process.returncode:
        raise RuntimeError(f"the bundle validator failed with exit code {process.returncode}: {said.strip()[-2000:]}")
    return True


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask first, so that Node closes its browser; a browser whose Node is gone ends by itself."""
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
      BrowserDied: see there.
    """
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    backends = report["backends"]
    for one in backends.values():
        if one["died"]:
            raise BrowserDied(
                f"Chromium failed twice while it checked the bundle: {one['error']}. Try again, set SWARA_CHROMIUM to "
                "another one, or SWARA_CHROMIUM=none to go without"
            )
    versions = [one["browser"] for one in backends.values() if one["browser"]]
    return TfjsRun(
        version=report["tfjs"],
        browser=versions[0] if versions else None,
        backends={name: _backend(out, one) for name, one in backends.items()},
    )


def _backend(out: Path, raw: Mapping[str, Any]) -> BackendRun:
    return BackendRun(
        error=raw["error"] or "",
        graphs={name: _graph(out, one) for name, one in raw["graphs"].items()},
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
