"""Every shipped model, in every precision, hold, room and rate: it builds, plays live what the clip is, and exports."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf

from bundles import weights
from components.tfjs_exporter import graph as graphs
from components.tfjs_exporter.convert import convert
from components.tfjs_exporter.optimise import shrink
from models.ddsp.synths import white_noise
from models.instrument import Instrument
from models.saved_model.precision import round_weights
from pipeline.configuration import loading
from tests.components.tfjs_exporter.tfjs import run_graphs, snr_db

MODELS = sorted(path.stem for path in (loading.CONFIGS / "models").glob("*.yaml"))
ROOMS = ("reverb_free", "reverb_exponential", "reverb_filtered_noise", "reverb_early_late")
SMALL = {  # widths alone: everything else is as it ships
    "cnn": ("model.decoder.channels=8", "model.decoder.layers=3", "model.decoder.dilation_cycle=3"),
    "gru": ("model.decoder.units=8", "model.decoder.stack_units=8"),
}
FRAMES, CHUNKS = 40, (8, 1, 15, 16)


class Case(NamedTuple):
    model: str
    precision: str
    hold: int
    room: str
    sample_rate: int


PRECISIONS, HOLDS, RATES = ("float16", "uint8"), (1, 2, 4, 8), (16000, 32000, 48000)
CASES = [Case(*one) for one in product(MODELS, PRECISIONS, HOLDS, ROOMS, RATES)]
# No room is in the controls graph, and its weights are rounded before: these two alternate.
EXPORTED = [
    Case(model, PRECISIONS[(i + i // 3) % 2], hold, ROOMS[(i + i // 3) % len(ROOMS)], rate)
    for i, (model, hold, rate) in enumerate(product(MODELS, HOLDS, RATES))
]


def make_instrument(case: Case) -> Instrument:
    config = loading.load(
        "violin",
        [
            *(f"model={case.model}", *SMALL[case.model], f"model.precision={case.precision}"),
            *(f"model.decoder.hold={case.hold}", f"audio.sample_rate={case.sample_rate}"),
            *(f"model.processors.reverb.type={case.room}", "model.processors.reverb.seconds=0.15"),
        ],
    )
    instrument = Instrument(config.model, config.audio, seed=1)
    random = np.random.default_rng(2)
    for name, variable in instrument.variables_by_name.items():
        variable.assign_add((0.01 if "reverb" in name else 0.3) * random.standard_normal(variable.shape).astype("f"))
    return round_weights(instrument)


def make_features(frame_rate: int) -> dict[str, tf.Tensor]:
    """A glide that drives harmonics over Nyquist, [1, FRAMES]."""
    time = np.arange(FRAMES) / frame_rate
    f0_hz = 300 * 2 ** (12 * time)
    made = {"f0_hz": f0_hz, "f0_scaled": np.log2(f0_hz / 600), "loudness_scaled": np.sin(40 * time)}
    return {name: tf.constant(values[np.newaxis], tf.float32) for name, values in made.items()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_builds_and_plays_live_the_samples_of_the_clip(case: Case) -> None:
    instrument = make_instrument(case)
    hop, features = instrument.audio.hop, make_features(instrument.audio.frame_rate)
    noise = white_noise(1, FRAMES * hop, (1, 2))
    signals = instrument.signals(instrument.controls(features), noise)
    assert signals[instrument.graph.audio_name].shape == (1, FRAMES * hop)
    state, pieces, start = instrument.initial_state(1), [], 0
    for length in CHUNKS:
        part = {name: values[:, start : start + length] for name, values in features.items()}
        dry, state = instrument.step(part, state, noise[:, start * hop : (start + length) * hop])
        pieces.append(dry.numpy())
        start += length
    live = np.concatenate(pieces, axis=1)[:, instrument.latency :]
    clip = signals[instrument.graph.dry_name].numpy()[:, : live.shape[1]]
    assert np.abs(clip).max() > 0.01
    assert snr_db(clip, live) >= 80


class Controls(tf.Module):
    """The controls of many instruments as one graph, so that the converter runs once."""

    def __init__(self, instruments: dict[Case, Instrument]):
        super().__init__()
        self.instruments = list(instruments.values())

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        def controls(**features: tf.Tensor) -> dict[str, tf.Tensor]:
            given = {name: tf.squeeze(values, -1) for name, values in features.items()}
            return {
                f"{i}_{name}": value
                for i, instrument in enumerate(self.instruments)
                for name, value in instrument.controls(given).items()
                if name in instrument.graph.control_names
            }

        specs = {name: tf.TensorSpec([1, None, 1], tf.float32, name=name) for name in make_features(250)}
        return {
            "controls": tf.function(controls, autograph=False).get_concrete_function(**specs),
            "impulse_response": tf.function(lambda: {"ir": tf.zeros([0])}).get_concrete_function(),
        }


@pytest.mark.slow
def test_its_controls_export_and_are_the_same_in_tensorflow_js(tmp_path: Path) -> None:
    instruments = {case: make_instrument(case) for case in EXPORTED}
    module = Controls(instruments)
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.signatures())
    outputs = convert(tmp_path / "model", tmp_path / "converted", ["controls"])
    exported, _ = shrink(graphs.read(tmp_path / "converted" / "controls", outputs["controls"]), {})
    entries, stored = weights.pack(exported.weights, {})
    (tmp_path / graphs.MODEL_FILE).write_bytes(graphs.model_json(exported, entries))
    (tmp_path / graphs.GRAPH_WEIGHTS_FILE).write_bytes(stored)
    features = make_features(250)
    inputs = {name: value.numpy()[..., np.newaxis] for name, value in features.items()}
    [computed] = run_graphs([(tmp_path, inputs)])
    for i, (case, instrument) in enumerate(instruments.items()):
        expected = instrument.controls(features)
        for name in instrument.graph.control_names:
            assert snr_db(expected[name].numpy(), computed[f"{i}_{name}"]) >= 60, (case, name)
