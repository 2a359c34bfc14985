import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from common.errors import UserError
from common.sources import source_files
from components.browser_validator import tfjs
from components.browser_validator.tfjs import BrowserDied, read_report, run_tfjs


def write_report(folder, **changes):
    graph = {
        "error": None,
        "loadMs": 1.0,
        "coldMs": 2.0,
        "warmMs": 1.5,
        "dynamic": False,
        "gpuBytes": 64,
        "cases": {"sweep": {"audio": {"file": "webgl.full.sweep.audio.f32", "shape": [1, 4]}}},
    }
    backend = {"browser": "156", "error": None, "died": False, "renderer": "GPU", "console": ["oh"]}
    broken = {"error": "no such op"}
    report = {
        "tfjs": "4.22.0",
        "backends": {"webgl": {**backend, "graphs": {"full": graph, "controls": broken}, **changes}},
    }
    (folder / "report.json").write_text(json.dumps(report))
    np.arange(4, dtype="<f4").tofile(folder / "webgl.full.sweep.audio.f32")


def test_a_report_is_read_with_its_values(tmp_path):
    write_report(tmp_path)
    run = read_report(tmp_path)
    assert (run.version, run.browser) == ("4.22.0", "156")
    webgl = run.backends["webgl"]
    assert (webgl.error, webgl.renderer, webgl.console) == ("", "GPU", ("oh",))
    assert webgl.graphs["controls"].error == "no such op"
    np.testing.assert_array_equal(webgl.graphs["full"].outputs["sweep"]["audio"], [[0.0, 1.0, 2.0, 3.0]])
    assert webgl.graphs["full"].milliseconds == {"load": 1.0, "cold": 2.0, "warm": 1.5}
    assert webgl.graphs["full"].gpu_bytes == 64


def test_a_browser_that_died_is_a_fault_and_not_a_verdict(tmp_path):
    write_report(tmp_path, died=True, error="/usr/bin/chromium does not start")
    with pytest.raises(BrowserDied, match=r"/usr/bin/chromium does not start.*SWARA_CHROMIUM=none"):
        read_report(tmp_path)


def test_a_validator_that_was_built_from_older_sources_is_refused(monkeypatch, tmp_path):
    built = tmp_path / "cli.mjs"
    built.write_text("")
    (tmp_path / "node_modules" / "@tensorflow").mkdir(parents=True)
    monkeypatch.setattr(tfjs, "WEB", tmp_path)
    monkeypatch.setattr(tfjs, "COMMAND", built)
    monkeypatch.setattr(tfjs.shutil, "which", lambda _: "/usr/bin/node")
    assert tfjs.require_validator() == "/usr/bin/node"
    newest = max(path.stat().st_mtime for path in source_files(*tfjs.BUILD))
    os.utime(built, (newest - 1, newest - 1))
    with pytest.raises(UserError, match=r"changed after .*cli\.mjs was built: run `make setup`"):
        tfjs.require_validator()


def use_script(monkeypatch, tmp_path, script: str) -> None:
    """Replaces the validator by a Python script; Python ignores the arguments that follow it."""
    path = tmp_path / "script.py"
    path.write_text(script)
    monkeypatch.setattr(tfjs, "COMMAND", path)
    monkeypatch.setattr(tfjs, "require_validator", lambda: sys.executable)


def test_a_validator_that_hangs_is_ended_with_its_children_and_counts_as_not_finished(monkeypatch, tmp_path):
    script = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    use_script(monkeypatch, tmp_path, script)
    began = time.monotonic()
    monkeypatch.setattr(tfjs, "GRACE_SECONDS", 0.0)
    run = run_tfjs(tmp_path, tmp_path, None, timeout_seconds=0.5)
    assert run.backends["wasm"].error == "not finished after 0.5 s"
    assert time.monotonic() - began < 10.0
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_validator_that_fails_is_a_fault_in_its_own_words(monkeypatch, tmp_path):
    use_script(monkeypatch, tmp_path, "raise SystemExit('cases.json: two cases share a name')")
    with pytest.raises(RuntimeError, match=r"exit code 1: cases\.json: two cases share a name"):
        run_tfjs(tmp_path, tmp_path, None, timeout_seconds=30.0)


def test_a_program_that_is_no_browser_is_a_fault_that_names_it(tmp_path):
    (tmp_path / "x.f32").write_bytes(bytes(4))
    inputs = {"x": {"file": "x.f32", "shape": [1]}}
    case = {"name": "c", "graph": "controls", "inputs": inputs, "outputs": ["y"]}
    (tmp_path / "cases.json").write_text(json.dumps({"cases": [case]}))
    with pytest.raises(BrowserDied, match=r"failed twice.*/bin/false does not start"):
        run_tfjs(tmp_path, tmp_path, Path("/bin/false"), timeout_seconds=30.0)


@pytest.mark.parametrize("ends", ["validator", "parent"])
def test_a_validator_ends_with_its_browser_by_a_signal_or_where_its_parent_was_killed(tmp_path, ends):
    (tmp_path / "x.f32").write_bytes(bytes(4))
    case = {"name": "c", "graph": "controls", "inputs": {"x": {"file": "x.f32", "shape": [1]}}, "outputs": ["y"]}
    (tmp_path / "cases.json").write_text(json.dumps({"cases": [case]}))
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/new && mv {tmp_path}/new {tmp_path}/pid && exec sleep 600\n")
    browser.chmod(0o755)
    folders = ["--bundle", str(tmp_path), "--cases", str(tmp_path), "--out", str(tmp_path / "out")]
    start = "import os, subprocess, sys; command = [*sys.argv[1:], '--parent', str(os.getpid())]\n"
    start += "with subprocess.Popen(command) as node: print(node.pid, flush=True)"
    command = [tfjs.require_validator(), str(tfjs.COMMAND), *folders, "--timeout", "60", "--chromium", str(browser)]
    with subprocess.Popen([sys.executable, "-c", start, *command], stdout=subprocess.PIPE, text=True) as parent:
        validator = int(parent.stdout.readline())
        wait_for(lambda: (tmp_path / "pid").exists(), 30.0)
        pids = [validator, int((tmp_path / "pid").read_text())]
        assert all(map(lives, pids))
        parent.kill() if ends == "parent" else os.kill(validator, signal.SIGTERM)
        wait_for(lambda: not any(map(lives, pids)), 5.0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a browser as root and as another user")
@pytest.mark.parametrize(
    ("user", "complaint", "sandboxed"),
    [(0, "", [False, False]), (65534, "", [True, True]), (65534, "No usable sandbox!", [True, False, True, False])],
    ids=["root", "another user", "another user, without a sandbox to be had"],
)
def test_chromium_has_its_sandbox_but_for_root_and_where_there_is_none(user, complaint, sandboxed):
    """Each backend tries the browser twice; this one notes its arguments and ends."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "x.f32").write_bytes(bytes(4))
        case = {"name": "c", "graph": "controls", "inputs": {"x": {"file": "x.f32", "shape": [1]}}, "outputs": ["y"]}
        (folder / "cases.json").write_text(json.dumps({"cases": [case]}))
        browser = folder / "browser"
        browser.write_text(f"#!/bin/sh\necho \"$@\" >> {folder}/started\necho '{complaint}' >&2\nexit 1\n")
        browser.chmod(0o755)
        folders = ["--bundle", name, "--cases", name, "--out", f"{name}/out"]
        command = [tfjs.require_validator(), str(tfjs.COMMAND), *folders, "--timeout", "60", "--chromium", str(browser)]
        environment = {**os.environ, "TMPDIR": name, "HOME": name}
        subprocess.run(command, check=True, env=environment, preexec_fn=lambda: os.setuid(user), timeout=120)
        started = (folder / "started").read_text().splitlines()
    assert ["--no-sandbox" not in one for one in started] == 2 * sandboxed  # webgl, then wasm


def wait_for(true, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.02)


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
