"""What a configuration changed is found by comparing it with the files that it started from."""

import json
from typing import Any

import pytest

from pipeline.configuration.differences import Difference, from_defaults
from pipeline.configuration.loading import load


def resolved(*settings: str) -> dict[str, Any]:
    return json.loads(load("violin", settings).to_json())


@pytest.mark.parametrize("model", ["cnn", "gru"])
def test_an_instrument_that_changes_nothing_differs_in_nothing(model: str):
    assert from_defaults(resolved(f"model={model}")) == ()


def test_every_changed_setting_is_named_as_set_takes_it_with_both_values():
    changed = resolved("trainer.steps=7", "model.processors.noise.bands=9", "tuner.rungs=[40]")
    assert set(map(repr, from_defaults(changed))) == {
        repr(Difference("trainer.steps", 7, 2000)),
        repr(Difference("model.processors.noise.bands", 9, 65)),
        repr(Difference("tuner.rungs", [40], [60, 240])),
    }


def test_a_setting_that_came_later_is_left_out_and_one_that_is_gone_has_no_default():
    old = resolved()
    del old["trainer"]["steps"]
    old["trainer"]["momentum"] = 0.9
    assert from_defaults(old) == (Difference("trainer.momentum", 0.9, None),)
