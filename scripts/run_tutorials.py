"""Run the tutorials and keep their output in their files, without the log of libraries.

Usage: .venv/bin/python scripts/run_tutorials.py [NOTEBOOK ...]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # which a shell may set back at its end
TUTORIALS = Path(__file__).resolve().parents[1] / "docs" / "tutorials"


def run(path: Path) -> None:
    """Execute every cell in order; the file is replaced once all of them have succeeded."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=900, coalesce_streams=True, resources=where).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # the times at which cells ran, different each time
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                if "text" in output:
                    output["text"] = COLOURS.sub("", output["text"])
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for tutorial in map(Path, sys.argv[1:]) if sys.argv[1:] else sorted(TUTORIALS.glob("*.ipynb")):
        print(tutorial.name, flush=True)
        run(tutorial.resolve())
