"""Filters noise by `player/noise.py`.

Reads {node, audio, magnitudes: [frames, bands], noise: [samples]}; writes [samples].
"""

import json
import sys

import numpy as np

from player.noise import FilteredNoise

request = json.load(sys.stdin)
node, audio = request["node"], request["audio"]
synth = FilteredNoise(node["bands"], audio["hop"], node["spacing"], audio["sample_rate"])
ahead = synth.latency // audio["hop"]  # frames
magnitudes = np.pad(np.array(request["magnitudes"]), ((0, ahead), (0, 0)))
noise = np.pad(np.array(request["noise"], np.float32), (0, synth.latency))
json.dump(synth.step(magnitudes, noise)[synth.latency :].astype(float).tolist(), sys.stdout)
