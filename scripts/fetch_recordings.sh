#!/usr/bin/env bash
# Fetches the recordings that configs/recordings.txt (or FILE) names into data/recordings, but for those that are there already.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python -m pipeline.retraining.fetching --list "${1:-configs/recordings.txt}" --recordings data/recordings
