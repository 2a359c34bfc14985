#!/usr/bin/env bash
# Trains every instrument in data/recordings further where there are new recordings. Arguments go to `local_runner.py retrain`.
# Exit codes: 0 pushed, or nothing new; 3 a gate refused; 2 recordings or settings must change; 1 a fault.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python local_runner.py retrain --all --output out "$@"
