"""Makes late tails by `common/acoustics/reverberation.py`.

Reads {levels: [bands], decay_seconds: [bands], taps, rate}; writes [taps].
"""

import json
import sys

from common.acoustics.reverberation import late_tail

request = json.load(sys.stdin)
json.dump(late_tail(request["levels"], request["decay_seconds"], request["taps"], request["rate"]).tolist(), sys.stdout)
