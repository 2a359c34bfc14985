from pathlib import Path

import pytest

from components.browser_validator.chromium import Chromium
from tests.browser.policy import require

MISSING = Chromium(None, "none of chromium is on PATH")


def test_where_there_is_a_browser_it_is_used():
    assert require(Chromium(Path("/usr/bin/chromium")), ci=True) == Path("/usr/bin/chromium")


def test_without_a_browser_a_test_is_skipped_with_the_reason():
    with pytest.raises(pytest.skip.Exception, match="none of chromium is on PATH"):
        require(MISSING, ci=False)


def test_on_ci_it_fails_instead():
    with pytest.raises(pytest.fail.Exception, match="none of chromium is on PATH"):
        require(MISSING, ci=True)
