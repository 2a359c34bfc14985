"""Scores how alike a listener would find two sounds: ViSQOL (Chinen et al. 2020), audio mode, at one level and length.

It compares spectrograms of 32 bands, up to 24 kHz, and maps their similarity to a mean opinion score that was learned
from listening tests: 1 is bad, 4.73 the score of a sound against itself. No training here optimises it.

Two habits of it would make scores of windows differ for no reason that a listener hears (`findings/visqol_*.sh`). Its
spectrograms have an absolute floor, so that soft sounds score higher: every original is brought to `LEVEL_DB`. It drops
what one of the sounds is too short for, so that a sound that ends early scores higher: both get the original's length.
"""

from __future__ import annotations

import logging
from importlib.metadata import version
from threading import Lock

import numpy as np
import numpy.typing as npt
import soxr
from visqol import visqol_manager
from visqol.audio_utils import AudioSignal

from data.windows.originals import ORIGINAL_RATE
from models.quality.support_vectors import WORST, SupportVectors

Floats = npt.NDArray[np.floating]

# RMS, dB of full scale: that of ITU-T's listening tests (P.56), within what solo recordings have (-14 to -32), and the
# score of a violin limited to 8 kHz depends least on it there: 1.93 at -23, 1.92 at -26, 2.01 at -30, 2.37 at -10.
LEVEL_DB = -26.0
SILENCE = 1e-8  # largest |sample| of what counts as silent
MEASURE = f"visqol-python {version('visqol-python')}, {LEVEL_DB:g} dB"  # figures of other measures do not compare

_one_at_a_time = Lock()  # its compiled loops share threads, and end the process where two calls meet


class Visqol:
    """ViSQOL, with its model loaded. Threads may share one."""

    def __init__(self) -> None:
        logging.getLogger("visqol").setLevel(logging.ERROR)  # a line for every window
        self._manager = visqol_manager.VisqolManager()
        # What its `init` does for audio, but with the mapper that needs no libsvm.
        self._manager.patch_creator = visqol_manager.ImagePatchCreator(visqol_manager.PATCH_SIZE_AUDIO)
        self._manager.spect_builder = visqol_manager.GammatoneSpectrogramBuilder(
            visqol_manager.NUM_BANDS_AUDIO, visqol_manager.MINIMUM_FREQ
        )
        self._manager.quality_mapper = SupportVectors()
        self._manager.is_initialized = True

    def __call__(self, original: Floats, generated: Floats, sample_rate: int) -> float:
        """Score generated audio against the original.

        Args:
          original: [samples] at `ORIGINAL_RATE`; not silent.
          generated: [samples] of the same time; silence and values that are not numbers have the lowest score.
          sample_rate: Hz, of `generated`.

        Returns:
          MOS-LQO, 1 to 5.

        Raises:
          ValueError: the original is silent, or shorter than the 0.6 s that are compared at a time.
        """
        if np.abs(original).max() <= SILENCE:
            raise ValueError("a silent original cannot be compared with: ViSQOL finds everything like it")
        if not np.isfinite(generated).all() or np.abs(generated).max() <= SILENCE:
            return WORST
        audio = np.asarray(generated, np.float64)
        if sample_rate != ORIGINAL_RATE:
            audio = soxr.resample(audio, sample_rate, ORIGINAL_RATE)
        audio = np.pad(audio, (0, max(0, len(original) - len(audio))))[: len(original)]
        gain = 10 ** (LEVEL_DB / 20) / np.sqrt(np.mean(np.square(original, dtype=np.float64)))
        pair = [AudioSignal(gain * np.asarray(sound, np.float64), ORIGINAL_RATE) for sound in (original, audio)]
        with _one_at_a_time:
            return float(self._manager.run_from_signals(*pair).moslqo)
