"""A choice of sizes becomes a model: of what the model has, and nothing else."""

import pytest
from pydantic import ValidationError

from models.sizes import resized, search_space
from pipeline.config import load


def test_a_cnn_has_width_depth_harmonics_and_bands() -> None:
    config = load("violin", ["model=cnn"])
    assert search_space(config.model, config.tuner) == {
        "channels": config.tuner.channels,
        "layers": config.tuner.layers,
        "harmonics": config.tuner.harmonics,
        "bands": config.tuner.bands,
    }
    model = resized(config.model, {"channels": 8, "layers": 3, "harmonics": 20, "bands": 17})
    assert model.decoder.model_dump() == config.model.decoder.model_dump() | {"channels": 8, "layers": 3}
    assert [getattr(processor, "harmonics", None) for processor in model.processors] == [20, None, None, None]
    assert [getattr(processor, "bands", None) for processor in model.processors] == [None, 17, None, None]


def test_a_gru_has_no_depth_to_search() -> None:
    config = load("violin", ["model=gru"])
    assert set(search_space(config.model, config.tuner)) == {"channels", "harmonics", "bands"}
    decoder = resized(config.model, {"channels": 16, "layers": 4}).decoder.model_dump()
    assert decoder == config.model.decoder.model_dump() | {"units": 16, "stack_units": 16}


def test_what_is_not_named_stays() -> None:
    model = load("violin").model
    assert resized(model, {}) == model


def test_a_size_out_of_bounds_is_an_error() -> None:
    with pytest.raises(ValidationError, match="channels"):
        resized(load("violin").model, {"channels": 100_000})
