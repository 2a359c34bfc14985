"""Choices of sizes: draws, neighbours, and the model that a choice makes."""

import numpy as np
import pytest
from pydantic import ValidationError

from models.network.sizes import (
    SIZES_OF_ARCHITECTURE,
    active_sizes,
    all_inputs,
    draw,
    mutate,
    reference_model,
    resized,
    search_space,
)
from pipeline.configuration.loading import load

CONFIG = load("violin")
SPACE = search_space(CONFIG.model, CONFIG.tuner.space)


def test_every_draw_and_every_neighbour_is_a_model_that_can_be_built() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        choice = draw(SPACE, random)
        assert resized(CONFIG.model, choice).decoder.kind == choice["architecture"]
        neighbour = mutate(choice, SPACE, random)
        resized(CONFIG.model, neighbour)
        assert neighbour.keys() == choice.keys()
        assert 1 <= sum(neighbour[name] != choice[name] for name in choice) <= 2


def test_a_neighbours_numbers_move_by_one_step_of_the_space() -> None:
    random = np.random.default_rng(1)
    choice = draw(SPACE, random)
    for _ in range(100):
        for name, value in mutate(choice, SPACE, random).items():
            if not isinstance(value, str):
                assert abs(SPACE[name].index(value) - SPACE[name].index(choice[name])) <= 1, name


def test_a_choice_has_only_the_sizes_of_its_architecture() -> None:
    both = {name: values[0] for name, values in SPACE.items()}
    assert not set(active_sizes({**both, "architecture": "cnn"})) & set(SIZES_OF_ARCHITECTURE["gru"])
    assert not set(active_sizes({**both, "architecture": "gru"})) & set(SIZES_OF_ARCHITECTURE["cnn"])


def test_sizes_go_where_they_belong() -> None:
    choice = {"harmonics": 20, "bands": 17, "inputs": "loudness+rms", "reverb": "reverb_exponential 0.5", "hold": 2}
    model = resized(CONFIG.model, {**choice, "architecture": "cnn", "channels": 8, "precision": "uint8"})
    assert model.decoder.model_dump() == CONFIG.model.decoder.model_dump() | {"channels": 8, "hold": 2}
    assert [getattr(processor, "harmonics", None) for processor in model.processors] == [20, None, None, None]
    assert [getattr(processor, "bands", None) for processor in model.processors] == [None, 17, None, None]
    assert (model.processors[-1].type, model.processors[-1].seconds) == ("reverb_exponential", 0.5)
    assert (model.inputs, model.precision) == (["loudness", "rms"], "uint8")


def test_another_kind_of_room_keeps_no_sizes_that_it_does_not_have() -> None:
    noise = resized(CONFIG.model, {"reverb": "reverb_filtered_noise 0.5"})
    assert {"frames", "bands"} < noise.processors[-1].model_dump().keys()
    late = resized(noise, {"reverb": "reverb_early_late 0.5"})
    assert {"early_seconds", "late_bands"} < late.processors[-1].model_dump().keys()
    for room in (noise, late):
        assert resized(room, {"reverb": "reverb_free 0.5"}) == resized(CONFIG.model, {"reverb": "reverb_free 0.5"})


def test_a_choice_may_change_the_architecture() -> None:
    decoder = resized(CONFIG.model, {"architecture": "gru", "units": 16, "stack_units": 8, "stack_layers": 2}).decoder
    assert decoder.model_dump() == {"kind": "gru", "units": 16, "stack_units": 8, "stack_layers": 2, "hold": 1}


def test_a_chain_without_a_part_has_none_of_its_sizes() -> None:
    model = CONFIG.model.model_copy(update={"processors": CONFIG.model.processors[:1]})
    assert not {"bands", "reverb"} & set(search_space(model, CONFIG.tuner.space))


def test_inputs_of_all_choices_are_listed() -> None:
    assert all_inputs(CONFIG.model, CONFIG.tuner.space, CONFIG.tuner.reference) == ["loudness", "rms"]
    narrow = load("violin", ["model.inputs=[rms]", "tuner.space.inputs=[rms]"])
    assert all_inputs(narrow.model, narrow.tuner.space, narrow.tuner.reference) == [
        "rms",
        "loudness",
    ]  # an input of the reference


def test_the_reference_has_its_full_size_beside_a_model_that_an_earlier_search_made_small() -> None:
    small = resized(
        CONFIG.model,
        {"harmonics": 30, "bands": 9, "hold": 4, "inputs": "rms", "precision": "uint8", "reverb": "reverb_free 0.25"},
    )
    whole = reference_model(CONFIG.model, CONFIG.tuner.reference)
    assert reference_model(small, CONFIG.tuner.reference).model_copy(update={"processors": whole.processors}) == whole
    harmonic, noise, _, room = reference_model(small, CONFIG.tuner.reference).processors
    assert (harmonic.harmonics, noise.bands, room.seconds) == (100, 65, 0.25)


def test_what_is_not_named_stays() -> None:
    assert resized(CONFIG.model, {}) == CONFIG.model


def test_a_size_out_of_bounds_is_an_error() -> None:
    with pytest.raises(ValidationError, match="channels"):
        resized(CONFIG.model, {"channels": 100_000})
