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
