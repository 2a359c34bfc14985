"""Publishes instruments that nobody trained: they follow pitch and loudness, which do not have to be learned.

Usage: python -m tests.web.publish_untrained PUSHED
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from bundles.publish import publish
from models.instrument import Instrument
from pipeline.configuration.loading import load
from tests.player.playable_bundle import write_playable_bundle

ROOM = ["model.processors.reverb.type=reverb_free", "model.processors.reverb.seconds=0.25"]
WITH_RMS = ["model.inputs=[rms]", "model.precision=uint8"]
DRY = [
    "audio.sample_rate=32000",
    """model.processors=[
        {name: harmonic, type: harmonic, harmonics: 30, envelope: linear},
        {name: noise, type: filtered_noise, bands: 33, initial_bias: -5.0},
        {name: dry, type: mix, inputs: [harmonic, noise]}]""",
]
INSTRUMENTS = {
    "violin": ["model.decoder.channels=16", *ROOM],
    "oboe": ["model=gru", "model.decoder.units=16", "model.decoder.stack_units=16", *ROOM],
    "saxophone": ["model.decoder.channels=16", "model.decoder.hold=2", *WITH_RMS, *DRY],
}
FALL = 0.35  # from one harmonic's raw value to the next


def publish_untrained(root: Path) -> None:
    """Publishes a CNN and a GRU, each in a small room, and a dry CNN in uint8 with RMS as input, at 32 kHz."""
    for name, overrides in INSTRUMENTS.items():
        config = load(name, overrides)
        instrument, random = Instrument(config.model, config.audio), np.random.default_rng(0)
        weights = instrument.weights()
        weights["decoder/output/bias"] = _falling(instrument)
        if "reverb/ir" in weights:
            taps = len(weights["reverb/ir"])
            weights["reverb/ir"] = (random.normal(0, 0.01, taps) * np.exp(-np.arange(taps) / 400.0)).astype(np.float32)
        instrument.set_weights(weights)
        with tempfile.TemporaryDirectory() as scratch:
            bundle = Path(scratch) / "bundle"
            write_playable_bundle(bundle, instrument, config)
            publish(bundle, root, datetime.now(timezone.utc))


def _falling(instrument: Instrument) -> np.ndarray:
    """A bias of the last layer that makes each harmonic weaker than the one below it, so that the pitch is clear."""
    added = {name: np.zeros(channels, np.float32) for name, channels in instrument.graph.raw_outputs.items()}
    added["harmonic_distribution"] -= FALL * np.arange(len(added["harmonic_distribution"]), dtype=np.float32)
    return np.concatenate(list(added.values()))


if __name__ == "__main__":
    publish_untrained(Path(sys.argv[1]))
