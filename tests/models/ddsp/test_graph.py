"""Errors of a wrongly declared signal chain name the entry and the fault; names, sums and the dry signal of chains."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from models.ddsp.graph import ProcessorGraph
from models.ddsp.synths import white_noise

HARMONIC: dict[str, Any] = {"name": "harmonic", "type": "harmonic", "harmonics": 10}
NOISE: dict[str, Any] = {"name": "noise", "type": "filtered_noise", "bands": 9}
DRY: dict[str, Any] = {"name": "dry", "type": "mix", "inputs": ["harmonic", "noise"]}


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "at least one"),
        ([{"type": "harmonic"}], "entry 0 .* no name"),
        ([{"name": "a", "type": "wavetable"}], "a: no processor type 'wavetable'; known: harmonic"),
        ([{**HARMONIC, "harmonix": 3}], "harmonic: unknown key 'harmonix'; keys of harmonic: harmonics, envelope"),
        ([HARMONIC, HARMONIC], "harmonic: two entries"),
        ([HARMONIC, {**DRY, "inputs": ["harmonic", "hiss"]}], "dry: input 'hiss' is not the name of an entry above"),
        ([{**DRY, "inputs": ["dry"]}], "dry: input 'dry' is not"),
        ([{**HARMONIC, "inputs": ["harmonic"]}], "harmonic: input 'harmonic' is not"),
        ([HARMONIC, NOISE], "harmonic: nothing uses this entry"),
        ([HARMONIC, {"name": "r", "type": "reverb_free", "inputs": []}], "r: reverb_free takes one input"),
        ([HARMONIC, {"name": "m", "type": "mix", "inputs": []}], "m: mix takes"),
        ([{**HARMONIC, "envelope": "cubic"}], "envelope 'cubic'"),
        ([{**HARMONIC, "harmonics": 0}], "harmonic: harmonics must be a number of at least 1, not 0"),
        ([{**HARMONIC, "harmonics": "six"}], "harmonic: harmonics must be a number of at least 1, not 'six'"),
        ([{**NOISE, "spacing": "bark"}], "no spacing 'bark' of noise bands; known: linear, erb"),
        ([{**NOISE, "bands": 1}], "noise: bands must be a number of at least 3, not 1"),
        ([HARMONIC, {"name": "r", "type": "reverb_free", "seconds": 0, "inputs": ["harmonic"]}], "r: seconds must be"),
    ],
)
def test_a_wrong_chain_names_the_entry_and_the_fault(entries: list[dict[str, Any]], message: str):
    with pytest.raises(ValueError, match=message):
        ProcessorGraph(entries)


def test_a_frame_must_have_a_whole_number_of_samples():
    with pytest.raises(ValueError, match="frame_rate 300 does not divide sample_rate 16000"):
        ProcessorGraph([HARMONIC], sample_rate=16000, frame_rate=300)


def test_names_of_outputs_are_plain_for_one_synthesiser_a_type_and_prefixed_for_more():
    assert ProcessorGraph([HARMONIC, NOISE, DRY]).raw_outputs == {
        "amplitude": 1,
        "harmonic_distribution": 10,
        "noise_magnitudes": 9,
    }
    low, high = {**HARMONIC, "name": "low"}, {**HARMONIC, "name": "high", "harmonics": 4}
    both = ProcessorGraph([low, high, {"name": "sum", "type": "mix", "inputs": ["low", "high"]}])
    assert both.raw_outputs == {
        "low_amplitude": 1,
        "low_harmonic_distribution": 10,
        "high_amplitude": 1,
        "high_harmonic_distribution": 4,
    }


def test_two_harmonic_synthesisers_sound_as_the_sum_of_each():
    low, high = {**HARMONIC, "name": "low"}, {**HARMONIC, "name": "high", "harmonics": 4}
    both = ProcessorGraph([low, high, {"name": "sum", "type": "mix", "inputs": ["low", "high"]}])
    raw = {name: tf.random.stateless_normal([1, 20, width], (1, 2)) for name, width in both.raw_outputs.items()}
    f0 = tf.fill([1, 20, 1], 300.0)
    signals = both.get_signal(both.get_controls(raw, f0), basis=both.basis(f0))
    np.testing.assert_allclose(signals["sum"], signals["low"] + signals["high"])
    assert not both.needs_noise
    assert np.abs(signals["low"] - signals["high"]).max() > 0.01


def test_the_dry_signal_is_the_input_of_the_last_reverb():
    room = {"name": "room", "type": "reverb_free", "seconds": 0.01, "inputs": ["dry"]}
    graph = ProcessorGraph([HARMONIC, NOISE, DRY, room])
    assert (graph.dry_name, graph.audio_name) == ("dry", "room")
    assert ProcessorGraph([HARMONIC]).dry_name == "harmonic"
    raw = {name: tf.zeros([1, 20, width]) for name, width in graph.raw_outputs.items()}
    controls, noise = graph.get_controls(raw, tf.fill([1, 20, 1], 300.0)), white_noise(1, 20 * 64, (0, 1))
    np.testing.assert_allclose(graph.get_dry(controls, noise), graph.get_signal(controls, noise)["dry"])


def test_missing_noise_is_an_error():
    graph = ProcessorGraph([HARMONIC, NOISE, DRY])
    raw = {name: tf.zeros([1, 20, width]) for name, width in graph.raw_outputs.items()}
    with pytest.raises(ValueError, match="filters noise"):
        graph.get_signal(graph.get_controls(raw, tf.fill([1, 20, 1], 300.0)))
