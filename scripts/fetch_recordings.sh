#!/usr/bin/env bash
# Fetches the recordings that configs/recordings.txt (or FILE) names into data/recordings: what is there already is not fetched again.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/python -m pipeline.retraining.fetching --list "${1:-configs/recordings.txt}" --recordings data/recordings
