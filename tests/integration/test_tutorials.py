"""The tutorials run as they stand, and stand as they ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from components.browser_validator.chromium import find_chromium
from tests.integration.conftest import ROOT, checkout

TUTORIALS = sorted((ROOT / "docs" / "tutorials").glob("*.ipynb"))
MACHINE = (str(Path.home()), str(ROOT), "/tmp/", "site-packages")  # of whoever ran a tutorial

Run = Callable[[str], None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a tutorial by its number, in a checkout that all of them share."""
    source = checkout(tmp_path_factory.mktemp("tutorials") / "source")

    def execute(number: str) -> None:
        [path] = (source / "docs" / "tutorials").glob(f"{number}_*.ipynb")
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(path.parent)}}).execute()

    return execute


@pytest.mark.slow
@pytest.mark.parametrize("number", ["1", "2", pytest.param("4", marks=pytest.mark.soak(part="stack"))])
def test_a_tutorial_runs_as_it_stands(run: Run, number: str):
    run(number)


@pytest.mark.slow
def test_what_one_tutorial_trains_the_other_plays_in_a_browser(run: Run):
    run("3")
    if find_chromium().program is None:
        pytest.skip(find_chromium().missing)
    run("5")


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_what_is_shown_was_run_in_order_without_an_error_and_names_no_machine(path: Path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        for output in cell.outputs:
            assert output.output_type != "error", output
            assert not any(name in str(output) for name in MACHINE), output
