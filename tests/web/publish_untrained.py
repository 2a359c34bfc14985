"""Publishes instruments that nobody trained: they follow pitch and loudness, which do not have to be learned.

Usage: python -m tests.web.publish_untrained PUSHED
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from components.bundle_pusher.publish import publish
from models.instrument import Instrument
from pipeline.config import load
from tests.pipeline.playable_bundle import write_playable_bundle

INSTRUMENTS = {
    "violin": ["model.decoder.channels=16", "model.processors.reverb.seconds=0.25"],
    "oboe": [
        "model=gru",
        "model.decoder.units=16",
        "model.decoder.stack_units=16",
        "model.processors.reverb.seconds=0.25",
    ],
}


def publish_untrained(root: Path) -> None:
    """Publishes a CNN and a GRU, each in a small room."""
    for name, overrides in INSTRUMENTS.items():
        config = load(name, overrides)
        instrument, random = Instrument(config.model, config.audio), np.random.default_rng(0)
        weights = instrument.weights()
        taps = len(weights["reverb/ir"])
        weights["reverb/ir"] = (random.normal(0, 0.01, taps) * np.exp(-np.arange(taps) / 400.0)).astype(np.float32)
        instrument.set_weights(weights)
        with tempfile.TemporaryDirectory() as scratch:
            bundle = Path(scratch) / "bundle"
            write_playable_bundle(bundle, instrument, config)
            publish(bundle, root, datetime.now(timezone.utc))


if __name__ == "__main__":
    publish_untrained(Path(sys.argv[1]))
