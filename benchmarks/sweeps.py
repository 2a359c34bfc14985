"""Results of sweeps: reference and choice of each, with sizes and measures of sound, as rows of a table.

    .venv/bin/python local_runner.py sweep --instrument violin --recordings DIR --trials 200 --workers 2 --output out
    .venv/bin/python benchmarks/sweeps.py out/violin ...

Loss, log-mel distance, loudness and f0 error are those of `benchmarks/sound.py`, on the eval windows, with weights in
the precision that ships.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.sound import judge, newest, resynthesise
from common.artifacts import serving_folder
from common.features import LOUDNESS_DB, PITCH_AND_LOUDNESS
from components.size_tuner.pareto import PARETO_FILE
from models.saved_model.precision import round_weights
from models.saved_model.signatures import load_instrument
from models.training.window_store import read_windows

COLUMNS = ("instrument", "model", "made of", "parameters", "kB gzip", "loss", "log-mel", "loudness, dB", "f0, cents")


def rows(folder: Path) -> list[tuple[str, ...]]:
    """Make the reference's row and the choice's of one instrument's folder."""
    table = json.loads((folder / PARETO_FILE).read_text())
    winner = next(trial for trial in table["trials"] if trial["trial"] == table["winner"])
    searched = max(folder.glob("pipeline/SizeTuner/tuner_results/*"), key=lambda path: int(path.name))
    trained = serving_folder(max(folder.glob("pipeline/Trainer/model/*"), key=lambda path: int(path.name)))
    made = [("choice", winner, trained)]
    if table["reference"]:
        made.insert(0, ("reference", table["reference"], searched / "reference"))
    return [_row(folder, name, trial, model) for name, trial, model in made]


def _row(folder: Path, name: str, trial: dict[str, Any], model: Path) -> tuple[str, ...]:
    instrument = round_weights(load_instrument(str(model)))
    features = (*PITCH_AND_LOUDNESS, *instrument.feature_names)
    windows = read_windows(newest(folder, "eval"), instrument.audio, features)
    judged = judge(resynthesise(instrument, windows), windows, instrument.audio)
    sizes = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in trial["hyperparameters"].items())
    figures = (judged["spectral_loss"], judged["log_mel"], judged[LOUDNESS_DB], judged["f0_cents"])
    size = f"{trial['gzip_bytes'] / 1000:,.1f}"
    return (folder.name, name, sizes, f"{trial['parameters']:,}", size, *(f"{value:.3g}" for value in figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    found = [row for folder in parser.parse_args().folders for row in rows(folder)]
    for line in (COLUMNS, ["---"] * len(COLUMNS), *found):
        print("| " + " | ".join(line) + " |")


if __name__ == "__main__":
    main()
