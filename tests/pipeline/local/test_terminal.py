"""A terminal is for people: the output of libraries goes to a log, that of Swara does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import logging, os, sys, warnings
from pathlib import Path
from pipeline.local.terminal import logged

def write(when):
    os.write(2, f"native {when}\\n".encode())
    print(f"python {when}", file=sys.stderr)

write("before")
try:
    with logged(Path(sys.argv[1])):
        write("within")
        logging.getLogger("a library").warning("a warning")
        os.write(2, b"native again\\n")
        logging.info("Component %s is running.", "Trainer")
        warnings.warn("old")
        raise KeyError
except KeyError:
    write("after")
"""


def test_native_code_and_libraries_write_to_the_log_and_python_to_the_terminal(tmp_path: Path):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith(("native", "python", "Trainer"))]
    assert lines == [
        *("native before", "python before"),
        *("python within", "Trainer ..."),
        *("native after", "python after"),
    ]
    log = (tmp_path / "run.log").read_text()
    order = [
        log.index(message) for message in ("native within", "a warning", "native again", "Trainer is running", "old")
    ]
    assert order == sorted(order)


def test_a_terminal_that_closes_costs_the_run_nothing(tmp_path: Path):
    """As of a run whose progress goes to a pager that was left."""
    program = (
        "import os, sys; from pathlib import Path; from pipeline.local.terminal import logged\n"
        "reading, writing = os.pipe(); os.dup2(writing, 2); os.close(writing)\n"
        "with logged(Path(sys.argv[1])):\n"
        "    print('seen', file=sys.stderr, flush=True); print(os.read(reading, 99)); os.close(reading)\n"
        "    for _ in range(10_000): print('nobody reads this', file=sys.stderr, flush=True)\n"
        "    print('done')\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert ran.stdout.splitlines() == [r"b'seen\n'", "done"]
    assert ran.returncode == 0
