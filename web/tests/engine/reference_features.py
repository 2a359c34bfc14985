"""Measures recordings as training does, and writes down what the engine's tests compare with.

Usage: reference_features.py OUT RECORDING ...

For each recording `OUT/N-WHAT.f32`, raw little-endian float32. WHAT is a rate, 16000, 44100 or 48000: the audio at that
rate; or f0, confidence, loudness or rms: features at 250 frames a second.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

from common.audio import AudioConfig
from data.features.loudness import loudness_and_rms
from data.features.tracker import Tracker
from data.files.high_pass import HighPass

AUDIO = AudioConfig(sample_rate=16000, frame_rate=250, window_seconds=4.0)
SOURCE_RATE = 48000  # what a microphone would give


def main(out: Path, recordings: list[Path]) -> None:
    """Measure recordings one after the other."""
    tracker = Tracker("swift_f0", AUDIO.sample_rate, AUDIO.frame_rate)
    for number, path in enumerate(recordings):
        recorded, recorded_rate = soundfile.read(path, dtype="float32", always_2d=True)
        source = soxr.resample(recorded.mean(axis=1), recorded_rate, SOURCE_RATE)
        source = HighPass(SOURCE_RATE)(source)  # both sides filter it again, from first samples that differ a little
        sounds = {rate: soxr.resample(source, SOURCE_RATE, rate) for rate in (16000, 44100, 48000)}
        audio = HighPass(AUDIO.sample_rate)(sounds[AUDIO.sample_rate].astype(np.float32))

        def read(start: int, stop: int, audio: np.ndarray = audio) -> np.ndarray:
            inside = audio[max(0, start) : max(0, stop)]
            before = min(max(0, -start), stop - start)
            return np.pad(inside, (before, stop - start - before - len(inside)))

        f0_hz, confidence = tracker(audio)
        loudness, rms = loudness_and_rms(read, len(audio), AUDIO)
        features = {"f0": f0_hz, "confidence": confidence, "loudness": loudness, "rms": rms}
        for name, values in {**sounds, **features}.items():
            np.asarray(values, "<f4").tofile(out / f"{number}-{name}.f32")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(argument) for argument in sys.argv[2:]])
