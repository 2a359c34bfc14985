import os
from pathlib import Path

import pytest

from components.browser_validator.chromium import find_chromium
from tests.browser.policy import require


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The machine's Chromium."""
    return require(find_chromium(), ci=os.environ.get("CI") == "true")
