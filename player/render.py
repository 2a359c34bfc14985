"""Turn any recording into an instrument without a browser: the bundle that ships, played by Python."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.audio import AudioConfig
from common.errors import UserError
from common.features import F0_HZ, LOUDNESS_DB
from common.progress import RecordingProgress, ReportProgress
from data.config import PitchConfig
from data.features.loudness import loudness_and_rms
from data.features.pitch import measure_pitch
from data.features.screening import screen_mix
from data.features.statistics import DatasetStatistics
from data.features.tracker import Tracker
from data.files.decode import Spool, Unusable, decode
from player.adjust import AdjustedFeatures, adjust
from player.bundle import load
from player.player import play
from player.sound_file import check_path, write_sound

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Features:
    """Features of a recording, measured as for training.

    Attributes:
      f0_hz: [frames], Hz.
      f0_confidence: [frames], 0 to 1.
      loudness_db: [frames], A-weighted dB.
    """

    f0_hz: Array
    f0_confidence: Array
    loudness_db: Array


def render(bundle: Path, input: Path, output: Path, progress: ReportProgress | None = None) -> dict[str, Any]:
    """Move a recording into an instrument's register and loudness, and play it on the instrument.

    Pitch and loudness are measured as they were for training; octave and loudness follow ddsp's timbre-transfer
    notebook (`player.adjust`). Neither the recording nor the sound is ever in memory as a whole.

    Args:
      bundle: `pushed/NAME`, `pushed/NAME/VERSION`, or any folder with a manifest.
      input: a recording of a voice or of one instrument.
      output: wav or flac file to write; replaced if it exists.
      progress: called with the name of the work, seconds done and seconds in all; by default it moves a line on a
        terminal.

    Returns:
      `seconds` and `sample_rate` of the sound, the instrument's `name`, `octave_shift` and `tuning_factor` (see
      `AdjustedFeatures`), `note_fraction` of frames in which a note was found, `gain` (below 1 where the sound was
      turned down so that it does not clip), and `notes`: remarks for a listener.

    Raises:
      UserError: the bundle, the recording or the path of the output cannot be used; the message gives the reason.
    """
    check_path(output)
    if not input.is_file():
        raise UserError(f"{input}: no such recording")
    if output.exists() and output.samefile(input):
        raise UserError(f"{output}: is the recording itself: name another file for the sound")
    loaded = load(bundle)
    report_progress, audio = progress or RecordingProgress(), loaded.audio
    pitch = PitchConfig.model_validate(loaded.manifest["configuration"]["examples"]["pitch"])
    measured = analyse(input, audio, pitch, report_progress)
    adjusted = adjust_to_instrument(input, measured, loaded.statistics)
    features = {F0_HZ: adjusted.f0_hz, LOUDNESS_DB: adjusted.loudness_db}
    length = len(adjusted.f0_hz) * audio.hop + max(0, len(loaded.impulse_response) - 1)
    blocks = play(loaded, features)
    blocks = with_progress(blocks, length, audio.sample_rate, report_progress)
    gain = write_sound(output, blocks, audio.sample_rate)
    return {
        "seconds": length / audio.sample_rate,
        "sample_rate": audio.sample_rate,
        "name": loaded.manifest["instrument"]["name"],
        "octave_shift": adjusted.octave_shift,
        "tuning_factor": adjusted.tuning_factor,
        "note_fraction": float(np.mean(adjusted.mask_on)),
        "gain": gain,
        "notes": list(_notes(adjusted, gain)),
    }


def analyse(path: Path, audio: AudioConfig, pitch: PitchConfig, report_progress: ReportProgress) -> Features:
    """Measure the features of a recording of any length as RecordingExampleGen does.

    Returns:
      f0 in Hz, its confidence and loudness in dB, each [frames].

    Raises:
      UserError: it cannot be decoded, its channels cancel, it is shorter than a frame, or the tracker is missing.
    """
    tracker = Tracker(pitch.tracker, audio.sample_rate, audio.frame_rate, pitch.crepe_capacity, pitch.crepe_viterbi)
    with Spool() as spool:
        try:
            screen_mix(decode(path, audio.sample_rate, spool))
        except Unusable as fault:
            where = "" if fault.at_seconds is None else f" at {fault.at_seconds:.1f} s"
            raise UserError(f"{path}: {fault.reason}{where}") from None
        if spool.samples < audio.hop:
            raise UserError(f"{path}: is only {spool.samples / audio.sample_rate * 1000:.1f} ms long")
        seconds = spool.samples / audio.sample_rate
        loudness_db, rms_energy = loudness_and_rms(spool.read, spool.samples, audio)
        measured = measure_pitch(
            spool.read,
            spool.samples,
            audio,
            tracker,
            rms_energy,
            lambda done: report_progress("analysing", done, seconds),
        )
    return Features(measured.f0_hz, measured.f0_confidence, loudness_db)


def adjust_to_instrument(path: Path, measured: Features, statistics: DatasetStatistics) -> AdjustedFeatures:
    """Move the features of a recording into the register and loudness of an instrument.

    Args:
      path: of the recording, for a message.
      measured: its features.
      statistics: of the instrument's recordings.

    Returns:
      f0 in Hz, loudness in dB and the mask of notes, each [frames].

    Raises:
      UserError: there is no note in the recording.
    """
    adjusted = adjust(measured.f0_hz, measured.loudness_db, measured.f0_confidence, statistics)
    if not adjusted.mask_on.any():
        raise UserError(f"{path}: no note was found in it: is it silent, or does nothing in it have a pitch?")
    return adjusted


def with_progress(
    blocks: Iterable[Array], length: int, sample_rate: int, report_progress: ReportProgress
) -> Iterator[Array]:
    """Yield the same blocks, and report how many seconds of all are done."""
    done = 0
    for block in blocks:
        done += len(block)
        report_progress("playing", done / sample_rate, length / sample_rate)
        yield block


def _notes(adjusted: AdjustedFeatures, gain: float) -> Iterator[str]:
    octaves = round(adjusted.octave_shift)
    if octaves:
        yield f"moved {abs(octaves)} octave{'s' if abs(octaves) > 1 else ''} {'up' if octaves > 0 else 'down'}"
    yield from decibels_down(gain)


def decibels_down(gain: float) -> Iterator[str]:
    """Yield a remark where a sound was turned down."""
    if gain < 1.0:
        yield f"turned down by {-20 * np.log10(gain):.1f} dB, so that it does not clip"
