import os

import pytest

from components.browser_validator.chromium import find_chromium


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "bin" / "google-chrome"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_known_name_on_path_is_found(program):
    assert find_chromium({"PATH": str(program.parent)}).program == program


def test_what_the_variable_names_goes_before_path_and_nothing_else_is_tried(program, tmp_path):
    other = tmp_path / "my-browser"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    env = {"PATH": str(program.parent), "SWARA_CHROMIUM": str(other)}
    assert find_chromium(env).program == other
    for nothing in ("none", "", str(tmp_path / "absent"), str(tmp_path)):
        found = find_chromium({**env, "SWARA_CHROMIUM": nothing})
        assert found.program is None
        assert f"SWARA_CHROMIUM={nothing} is not a program" in found.missing


def test_where_there_is_none_it_says_what_was_looked_for(tmp_path):
    found = find_chromium({"PATH": os.pathsep.join([str(tmp_path), ""])})
    assert found.program is None
    assert "none of chromium, chromium-browser, google-chrome" in found.missing
