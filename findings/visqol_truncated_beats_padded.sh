#!/usr/bin/env bash
# visqol-python 3.8.0 (audio mode, 48 kHz): the first quarter of a recording, compared with the whole, gets a higher score
# (4.1) than the same quarter followed by silence to the full length (2.0).
#
# An expert would expect the two to score alike, since the missing three quarters are missing in both. Patches of the
# reference for which the degraded signal is too short are dropped from the mean, with a line in the log; patches that
# meet silence count. So a model that ends early is rewarded, and signals must be brought to one length before they are
# compared.
#
# Seen:  whole 4.732   first quarter 4.065   first quarter, then silence 2.046
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check visqol-python==3.8.0 numpy==2.2.6 scipy==1.15.3 \
  libsvm-official==3.37.0
"$folder/venv/bin/python" - <<'PYTHON'
import logging

import numpy as np
from visqol import VisqolApi

logging.disable(logging.CRITICAL)
RATE = 48000
time = np.arange(4 * RATE) / RATE
f0 = 220 * 2 ** (np.floor(2 * time) / 6)  # a scale in whole tones, two notes a second
phase = 2 * np.pi * np.cumsum(f0) / RATE
loud = 0.6 + 0.4 * np.sin(4 * np.pi * time)
whole = 0.1 * loud * sum(np.sin(k * phase) / k for k in range(1, 30))
whole += 1e-4 * np.random.default_rng(0).standard_normal(len(time))
api = VisqolApi()
api.create(mode="audio")
quarter = whole[:RATE]
padded = np.concatenate([quarter, np.zeros(3 * RATE)])
scores = [api.measure_from_arrays(whole, other, RATE).moslqo for other in (whole, quarter, padded)]
print("whole {:.3f}   first quarter {:.3f}   first quarter, then silence {:.3f}".format(*scores))
assert abs(scores[0] - 4.732) < 0.01
assert scores[1] > 3.5 > 2.5 > scores[2], "a part and the same part with silence score alike now"
PYTHON
