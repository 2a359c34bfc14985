"""Plays a bundle by `player/`: reads {bundle, f0_hz, loudness_db, rms_energy}; writes the samples as float32."""

import json
import sys
from pathlib import Path

import numpy as np

from player.bundle import load
from player.player import play

request = json.load(sys.stdin)
features = {name: np.array(request[name], np.float32) for name in ("f0_hz", "loudness_db", "rms_energy")}
sound = np.concatenate(list(play(load(Path(request["bundle"])), features, seed=7)))
sys.stdout.buffer.write(sound.astype("<f4").tobytes())
