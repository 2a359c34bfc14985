"""Exported files in a real, headless Chromium, on webgl and wasm."""

import contextlib
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from components.browser_validator.cases import make_cases, write_cases
from components.browser_validator.tfjs import BrowserDied, TfjsRun, run_tfjs
from components.browser_validator.validate import validate
from tests.components.browser_validator.exported import exported, settings

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("chromium")]
OUTPUTS = {"controls": ["amplitude"], "full": ["audio"]}


@pytest.mark.parametrize(("kind", "loop"), [("cnn", False), ("gru", True)])
def test_a_good_bundle_is_blessed_on_webgl_and_wasm(kind, loop):
    good = exported(kind)
    assert ('"op":"LoopCond"' in (good.bundle / "full" / "model.json").read_text()) is loop
    verdict = validate(good.bundle, good.saved_model, good.eval_folder, settings())
    assert verdict.reasons == ()
    figures = verdict.figures
    assert figures["webgl_checked"] is True
    assert set(figures["snr_db"]) == {"webgl", "wasm"}
    assert figures["snr_db"]["webgl"]["amplitude"] >= 60.0
    assert figures["snr_db"]["webgl"]["audio"] >= 40.0
    assert figures["gpu_bytes"] > 0
    assert figures["renderer"]
    assert figures["console_errors"] == []
    assert int(figures["browser"].split(".")[0]) > 100


@pytest.fixture
def temporary(monkeypatch):
    """The folder that all temporary files go to; short, as a browser's sockets need it."""
    exported("cnn")  # stays where it is, for the other tests
    with tempfile.TemporaryDirectory(prefix="swara-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def run(chromium: Path, folder: Path, timeout_seconds: float) -> TfjsRun:
    good = exported("cnn")
    cases = make_cases(good.eval_folder, ["f0_hz", "loudness_db"], frame_rate=250, hop=64, seconds=0.5)
    write_cases(folder, cases[:1], OUTPUTS)
    return run_tfjs(good.bundle, folder, chromium, timeout_seconds)


def mentioned_in(temporary: Path) -> list[int]:
    """Processes that have a folder in their arguments or environment, as a browser with its profile there has."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(str(temporary) in text for text in (*process.cmdline(), *process.environ().values())):
                found.append(process.pid)
    return found


def renderers_below(ancestor: int) -> list[int]:
    """The browser processes that run pages, among the descendants of a process."""
    found = []
    for process in psutil.Process(ancestor).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "--type=renderer" in " ".join(process.cmdline()):
                found.append(process.pid)
    return found


@contextlib.contextmanager
def killing_renderers(most: int) -> Iterator[list[int]]:
    """Kills pages of this test's browsers while it is entered: the first so many that show up."""
    killed: list[int] = []
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.02) and len(killed) < most:
            for pid in renderers_below(os.getpid()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def test_a_browser_that_is_not_done_in_time_is_killed_and_leaves_nothing(chromium, tmp_path, temporary):
    result = run(chromium, tmp_path, timeout_seconds=0.05)
    assert {name: one.error for name, one in result.backends.items()} == {
        "webgl": "not finished after 0.05 s",
        "wasm": "not finished after 0.05 s",
    }
    assert mentioned_in(temporary) == []
    assert list(temporary.iterdir()) == []


def test_a_browser_that_crashes_once_is_tried_again(chromium, tmp_path, temporary):
    with killing_renderers(most=1) as killed:
        result = run(chromium, tmp_path, timeout_seconds=120.0)
    assert killed
    assert [one.error for one in result.backends.values()] == ["", ""]
    assert np.isfinite(result.backends["webgl"].graphs["full"].outputs["loudest"]["audio"]).all()
    assert mentioned_in(temporary) == []


def test_a_browser_that_keeps_crashing_is_a_fault_of_the_machine(chromium, tmp_path, temporary):
    with killing_renderers(most=1000), pytest.raises(BrowserDied, match=r"failed twice .*(crashed|went away|closed)"):
        run(chromium, tmp_path, timeout_seconds=120.0)
    assert mentioned_in(temporary) == []
