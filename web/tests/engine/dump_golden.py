"""Writes the arrays of a golden file as JSON. Usage: dump_golden.py FILE.npz"""

import json
import sys

import numpy as np

arrays = np.load(sys.argv[1])
json.dump({name: arrays[name].tolist() for name in arrays}, sys.stdout)
