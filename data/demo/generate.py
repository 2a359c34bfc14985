"""Makes the embedded recordings: FLAC files of a synthetic bansuri that improvises, always the same for the same seed.

Run `python -m data.demo.generate --folder DIR [--minutes 4] [--seed 0]`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from data.demo import flute
from data.demo.composer import RAGAS, compose
from data.demo.performance import perform

PEAK = 10.0 ** (-3.0 / 20.0)
ROOM_NOISE = 10.0 ** (-75.0 / 20.0)
FEWEST_TAKES = 3
SECONDS_PER_TAKE = 60.0
SHORTEST_MINUTES, LONGEST_MINUTES = 0.1, 600.0


def generate(folder: Path, minutes: float, seed: int, sample_rate: int = flute.SAMPLE_RATE) -> list[Path]:
    """Write takes of 16-bit mono FLAC, some longer and some shorter than their mean of about a minute.

    Args:
      folder: is made if it is absent; files of the same names are overwritten.
      minutes: of all takes together, SHORTEST_MINUTES to LONGEST_MINUTES.
      seed: decides every note and every breath, not negative.
      sample_rate: Hz, of the files. The flute itself always sounds at 48 kHz.

    Returns:
      The files, in order. At least three, so that a split by recording has something on either side.

    Raises:
      ValueError: minutes out of range.
    """
    if not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
        raise ValueError(f"minutes must lie between {SHORTEST_MINUTES:g} and {LONGEST_MINUTES:g}, not {minutes:g}")
    folder.mkdir(parents=True, exist_ok=True)
    lengths = take_lengths(60.0 * minutes)
    ragas = np.random.default_rng(seed).permutation(list(RAGAS))
    paths = []
    for index, seconds in enumerate(lengths):
        raga = str(ragas[index % len(ragas)])
        path = folder / f"{index + 1:02d}_{raga}.flac"
        samples = take(np.random.default_rng([seed, index]), seconds, raga, sample_rate)
        soundfile.write(path, samples, sample_rate, subtype="PCM_16")
        paths.append(path)
    return paths


def take_lengths(seconds: float) -> list[float]:
    """Share a time among takes of about a minute, at least three; every odd one is 5 / 3 as long as every even one."""
    takes = max(FEWEST_TAKES, round(seconds / SECONDS_PER_TAKE))
    weights = [5.0 if index % 2 == 0 else 3.0 for index in range(takes)]
    return [seconds * weight / sum(weights) for weight in weights]


def take(rng: np.random.Generator, seconds: float, raga: str, sample_rate: int) -> npt.NDArray[np.int16]:
    """Record an improvisation, with a peak of -3 dBFS and a quiet room around it. Shape [samples]."""
    played = round(seconds * flute.SAMPLE_RATE)
    performance = perform(compose(rng, seconds, raga), played, flute.SAMPLE_RATE, rng)
    sound = flute.play(performance.f0_hz, performance.breath, rng)
    if sample_rate != flute.SAMPLE_RATE:
        sound = soxr.resample(sound, flute.SAMPLE_RATE, sample_rate, quality="VHQ")
    room = ROOM_NOISE * np.sqrt(3.0) * (2.0 * rng.random(len(sound)) - 1.0)
    sound = PEAK * sound / np.max(np.abs(sound)) + room
    return np.round(32767.0 * sound).astype(np.int16)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m data.demo.generate", description="Make the embedded recordings.")
    parser.add_argument("--folder", type=Path, required=True, help="folder of the files")
    parser.add_argument("--minutes", type=float, default=4.0, help="of all files together (default 4)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, another concert (default 0)")
    chosen = parser.parse_args(arguments)
    if not SHORTEST_MINUTES <= chosen.minutes <= LONGEST_MINUTES:
        parser.error(f"--minutes must lie between {SHORTEST_MINUTES:g} and {LONGEST_MINUTES:g}")
    if chosen.seed < 0:
        parser.error("--seed must not be negative")
    for path in generate(chosen.folder, chosen.minutes, chosen.seed):
        print(f"{path}  {soundfile.info(path).duration:.1f} s")


if __name__ == "__main__":
    main()
