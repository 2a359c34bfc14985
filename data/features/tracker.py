"""f0 and its confidence at the frame rate, by the tracker that the configuration names.

Trackers have frames of their own, which are freed of octave errors and brought onto the frame rate's grid. f0 goes on
through unvoiced gaps (interpolated in octaves between the voiced frames around them, held at the ends); the confidence
shows which frames to trust. Neither depends on how loud a recording is: trackers get all of them at one level.

| tracker  | frames | range           | confidence                                                              |
|----------|--------|-----------------|-------------------------------------------------------------------------|
| swift_f0 | 16 ms  | 46.9 to 2094 Hz | voicing score; a frame is voiced from 0.5                               |
| crepe    | 8 ms   | 32.7 to 1976 Hz | activation of the strongest pitch bin (Kim et al. 2018)                 |
| pyin     | 16 ms  | 46.9 to 2094 Hz | over 0.5 where pYIN (Mauch and Dixon 2014) decides for voiced          |

An instrument beyond that range is tracked at another speed: at half speed it sounds an octave lower, for twice as long.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soxr

from common.errors import UserError
from common.pitch import is_voiced
from data.features.level import loud_rms
from data.features.octaves import correct_octave_errors
from data.features.reading import Floats, Read

Frames = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]  # f0 in Hz, confidence; each [frames]
Measure = Callable[[Floats], Frames]  # audio at 16 kHz -> frames, the first one centred on sample 0

TRACKER_RATE = 16_000  # Hz, of the audio that all trackers take
FMIN, FMAX = 46.875, 2093.75  # Hz, the range of swift_f0
RANGES = {"swift_f0": (FMIN, FMAX), "crepe": (32.70, 1975.5), "pyin": (FMIN, FMAX)}  # Hz
CHUNK_SECONDS = 24.0  # measured at a time, a whole number of every tracker's frames
CONTEXT_SECONDS = 0.96  # measured on either side of a chunk too, likewise
LOUD_RMS = 10 ** (-18 / 20)  # of what trackers get; swift_f0 finds 10 to 40 % fewer voiced frames 30 dB below
FALLBACK_HZ = 440.0  # where no frame of a recording has a pitch


class Tracker:
    """Measures f0.

    Args:
      name: swift_f0, crepe or pyin.
      sample_rate: Hz, of the audio it will be given.
      frame_rate: Hz, of the frames it shall give.
      crepe_capacity: tiny, small, medium, large or full.
      crepe_viterbi: whether CREPE's pitch is smoothed.
      octaves: by which the audio is moved for the tracker: -1 for a piccolo, 1 for a double bass.

    Attributes:
      range_hz: lowest and highest f0 that it can find, Hz.

    Raises:
      UserError: the tracker is not installed.
    """

    def __init__(
        self,
        name: str,
        sample_rate: int,
        frame_rate: int,
        crepe_capacity: str = "tiny",
        crepe_viterbi: bool = True,
        octaves: int = 0,
    ):
        self._sample_rate, self._frame_rate = sample_rate, frame_rate
        self._speed = 2.0**octaves
        self._measure, self._frame_seconds = _tracker(name, crepe_capacity, crepe_viterbi)
        low, high = RANGES[name]
        self.range_hz = (low / self._speed, high / self._speed)

    def __call__(self, audio: Floats) -> tuple[Floats, Floats]:
        """Measure f0 of audio that is in memory.

        Args:
          audio: [samples] at the sample rate, finite.

        Returns:
          f0 in Hz, positive in every frame, and its confidence from 0 to 1; each [samples // hop].
        """
        audio = np.asarray(audio, np.float32)

        def read(start: int, stop: int) -> Floats:
            inside = audio[max(0, start) : max(0, stop)]
            before = min(max(0, -start), stop - start)
            return np.pad(inside, (before, stop - start - before - len(inside)))

        return self.track(read, len(audio))

    def track(
        self, read: Read, samples: int, on_progress: Callable[[float], None] | None = None
    ) -> tuple[Floats, Floats]:
        """Measure f0 of a recording of any length in chunks.

        Args:
          read: gives samples by position; must give zeros outside the recording.
          samples: length of the recording.
          on_progress: called with the seconds measured so far.

        Returns:
          As `__call__`.
        """
        rate, step = round(self._sample_rate * self._speed), self._frame_seconds
        chunk, context = round(CHUNK_SECONDS * rate), round(CONTEXT_SECONDS * rate)
        edge, inner = round(CONTEXT_SECONDS / step), round(CHUNK_SECONDS / step)
        f0, confidences = [], []
        loud = loud_rms(read, samples, self._sample_rate)
        gain = np.float32(LOUD_RMS / loud if loud > 0 else 1.0)
        for start in range(0, max(1, samples), chunk):
            left = context if start else 0
            stop = min(start + chunk, samples)
            right = min(stop + context, samples) if stop < samples else samples
            audio = np.clip(read(start - left, right) * gain, -1, 1)  # a click at a quiet note does not drown it
            if rate != TRACKER_RATE:
                audio = soxr.resample(audio, rate, TRACKER_RATE)
            hertz, confidence = self._measure(np.pad(audio, (0, max(0, 1024 - len(audio)))))
            first = edge if left else 0
            last = first + inner if stop < samples else len(hertz)
            f0.append(hertz[first:last])
            confidences.append(confidence[first:last])
            if on_progress:
                on_progress(stop / self._sample_rate)
        tracked, confidence = np.concatenate(f0), np.concatenate(confidences)
        voiced = np.isfinite(tracked) & (tracked > 0) & is_voiced(confidence)
        corrected = correct_octave_errors(tracked, voiced, step, read, samples, rate)
        return self._resample(corrected / self._speed, confidence, samples)

    def _resample(
        self, f0_hz: npt.NDArray[np.float64], confidence: npt.NDArray[np.float64], samples: int
    ) -> tuple[Floats, Floats]:
        frames = samples // (self._sample_rate // self._frame_rate)
        frame_times = np.arange(frames) / self._frame_rate
        tracker_times = np.arange(len(f0_hz)) * self._frame_seconds * self._speed
        sound = np.isfinite(f0_hz) & (f0_hz > 0)
        voiced = sound & is_voiced(confidence)
        if not voiced.any():
            voiced = sound
        if not voiced.any():
            return np.full(frames, FALLBACK_HZ, np.float32), np.zeros(frames, np.float32)
        octaves = np.interp(frame_times, tracker_times[voiced], np.log2(f0_hz[voiced]))
        confidence = np.interp(frame_times, tracker_times, np.where(sound, np.clip(confidence, 0, 1), 0))
        return (2**octaves).astype(np.float32), confidence.astype(np.float32)


def require(name: str, crepe_capacity: str) -> None:
    """Make sure that a tracker can be loaded, without loading it.

    Raises:
      UserError: it is not installed, or CREPE's weights of that capacity are not.
    """
    package = {"swift_f0": "swift_f0", "crepe": "crepe", "pyin": "librosa"}.get(name)
    if package is None:
        raise UserError(f"no pitch tracker is called {name!r}: there are swift_f0, crepe and pyin")
    found = importlib.util.find_spec(package)
    if found is None:
        how = "run `make crepe`, or use" if name == "crepe" else "run `make setup`, or use"
        raise UserError(f"the pitch tracker {name} is not installed: {how} another one (examples.pitch.tracker)")
    if name == "crepe" and found.origin:
        weights = Path(found.origin).parent / f"model-{crepe_capacity}.h5"
        if not weights.exists() or not weights.stat().st_size:
            raise UserError(
                f"CREPE has no weights of capacity {crepe_capacity} ({weights.name} is absent or empty): get them with "
                "`make crepe` (WEIGHTS=FOLDER where GitHub cannot be reached), or choose a capacity that is there "
                f"({', '.join(_capacities(weights.parent)) or 'there is none'}) with examples.pitch.crepe_capacity"
            )


def _capacities(folder: Path) -> list[str]:
    return sorted(path.stem.removeprefix("model-") for path in folder.glob("model-*.h5") if path.stat().st_size)


def _tracker(name: str, crepe_capacity: str, crepe_viterbi: bool) -> tuple[Measure, float]:
    """Load a tracker; return it and the seconds between its frames."""
    require(name, crepe_capacity)
    if name == "crepe":
        return _crepe(crepe_capacity, crepe_viterbi), 0.008
    return (_swift_f0() if name == "swift_f0" else _pyin()), 0.016


def _swift_f0() -> Measure:
    from swift_f0 import SwiftF0

    detector = SwiftF0(threads=1, spin=False)

    def measure(audio: Floats) -> Frames:
        """Measure audio [samples] at 16 kHz: f0 in Hz and confidence, each [frames of 16 ms]."""
        found = detector.detect(audio, TRACKER_RATE)
        return found.pitch_hz, found.confidence

    return measure


def _crepe(capacity: str, viterbi: bool) -> Measure:
    import crepe

    def measure(audio: Floats) -> Frames:
        """Measure audio [samples] at 16 kHz: f0 in Hz and confidence, each [frames of 8 ms]."""
        _, f0_hz, confidence, _ = crepe.predict(
            audio, TRACKER_RATE, model_capacity=capacity, viterbi=viterbi, step_size=8, verbose=0
        )
        return f0_hz, confidence

    return measure


def _pyin() -> Measure:
    import librosa

    def measure(audio: Floats) -> Frames:
        """Measure audio [samples] at 16 kHz: f0 in Hz and confidence, each [frames of 16 ms]."""
        options: dict[str, Any] = {"fmin": FMIN, "fmax": FMAX, "sr": TRACKER_RATE, "hop_length": 256}
        f0_hz, voiced, probability = librosa.pyin(audio, fill_na=None, **options)
        return f0_hz, np.where(voiced, 0.5 + 0.5 * probability, 0.5 * probability)

    return measure
