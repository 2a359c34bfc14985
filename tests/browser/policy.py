"""What a browser test does on a machine without a browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.browser_validator.chromium import Chromium


def require(chromium: Chromium, ci: bool) -> Path:
    """The browser. Without one a test is skipped, saying why; on CI, where nobody reads what was skipped, it fails."""
    if chromium.program is not None:
        return chromium.program
    if ci:
        pytest.fail(f"CI=true and no Chromium: {chromium.missing}")
    pytest.skip(f"no Chromium: {chromium.missing}")
