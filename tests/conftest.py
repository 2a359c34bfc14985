"""Fixtures shared by all tests. Material that is not in the repository is found through SWARA_SHARED."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("swara", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # no test is a clock
settings.load_profile("swara")

SHARED = Path(os.environ.get("SWARA_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))

SOAK_PARTS = ("data", "kills", "stack")
"""Parts of `make soak` that hold Python tests; each is a target of its own."""


def _shared_folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; set SWARA_SHARED to the folder that holds {name}/")
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keeps together, under `--dist loadgroup`, what shares a dear fixture: a module, and all that use the workshop."""
    for item in items:
        soak = item.get_closest_marker("soak")
        if soak is not None and soak.kwargs.get("part") not in SOAK_PARTS:
            raise pytest.UsageError(f"{item.nodeid}: pytest.mark.soak needs a part of {', '.join(SOAK_PARTS)}")
        if not config.pluginmanager.hasplugin("xdist"):
            continue
        shared = "workshop" if "made_workshop" in getattr(item, "fixturenames", ()) else item.path.stem
        item.add_marker(pytest.mark.xdist_group(shared))


@pytest.fixture(scope="session")
def golden() -> Callable[[str], dict[str, np.ndarray]]:
    """Loads one golden fixture of ddsp 3.7.0 by its name, as a dict of arrays."""
    folder = _shared_folder("golden")

    def load(name: str) -> dict[str, np.ndarray]:
        with np.load(folder / f"{name}.npz") as arrays:
            return dict(arrays)

    return load


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of real recordings: one folder an instrument, and voice/."""
    return _shared_folder("recordings")
