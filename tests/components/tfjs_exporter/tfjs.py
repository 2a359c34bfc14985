"""Runs exported graphs on TensorFlow.js in Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pytest

WEB = Path(__file__).resolve().parents[3] / "web"
SCRIPT = Path(__file__).with_name("run_graph.cjs")


def run_graphs(requests: list[tuple[Path, dict[str, np.ndarray]]]) -> list[dict[str, np.ndarray]]:
    """Runs graph models, each a folder with model.json and inputs by name; returns their outputs by name.

    Skips the test where Node or the packages are missing; fails it in CI.
    """
    if not shutil.which("node") or not (WEB / "node_modules/@tensorflow/tfjs-converter").is_dir():
        reason = "TensorFlow.js in Node is missing: run `make setup`"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with tempfile.TemporaryDirectory() as scratch:
        written = [_written(Path(scratch) / str(i), folder, inputs) for i, (folder, inputs) in enumerate(requests)]
        listing = Path(scratch) / "requests.json"
        listing.write_text(json.dumps(written))
        done = subprocess.run(["node", SCRIPT, WEB, listing], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return [
            {name: _read(Path(f"{one['out']}.{name}"), info) for name, info in outputs.items()}
            for one, outputs in zip(written, json.loads(done.stdout), strict=True)
        ]


def _written(stem: Path, folder: Path, inputs: dict[str, np.ndarray]) -> dict:
    files = {}
    for name, value in inputs.items():
        file = Path(f"{stem}.{name}.in")
        file.write_bytes(value.astype("<f4").tobytes())
        files[name] = {"shape": list(value.shape), "file": str(file)}
    return {"folder": str(folder), "inputs": files, "out": f"{stem}.out"}


def _read(file: Path, info: dict) -> np.ndarray:
    dtype = {"float32": "<f4", "int32": "<i4", "bool": "u1"}[info["dtype"]]
    return np.frombuffer(file.read_bytes(), dtype).reshape(info["shape"])


def snr_db(expected: np.ndarray, actual: np.ndarray) -> float:
    """Signal to noise ratio in dB."""
    error = np.sum(np.square(expected.astype(np.float64) - actual))
    return float(10 * np.log10(np.sum(np.square(expected, dtype=np.float64)) / max(error, 1e-30)))
