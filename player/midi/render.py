"""Play a standard MIDI file on an instrument: every line of it by a voice of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from common.progress import RecordingProgress, ReportProgress
from player.bundle import load
from player.midi.expression import RELEASE_SECONDS, features_of
from player.midi.tune import read_tune
from player.player import play
from player.render import decibels_down, with_progress
from player.sound_file import check_path, write_sound

Audio = npt.NDArray[np.float32]  # [samples]


def render_midi(bundle: Path, midi: Path, output: Path, progress: ReportProgress | None = None) -> dict[str, Any]:
    """Play a tune on an instrument.

    Args:
      bundle: `pushed/NAME`, `pushed/NAME/VERSION`, or any folder with a manifest.
      midi: a standard MIDI file.
      output: wav or flac file to write; replaced if it exists.
      progress: called with the name of the work, seconds done and seconds in all; by default it moves a line on a
        terminal.

    Returns:
      `seconds` and `sample_rate` of the sound, the instrument's `name`, `voices` and `played_notes` of the tune, `gain`
      (below 1 where the sound was turned down so that it does not clip), and `notes`: remarks for a listener.

    Raises:
      UserError: the bundle, the tune or the path of the output cannot be used; the message gives the reason.
    """
    check_path(output)
    lines = read_tune(midi)
    loaded = load(bundle)
    audio = loaded.audio
    seconds = max(line.notes[-1].end for line in lines) + 3 * RELEASE_SECONDS
    voices = [
        play(loaded, features_of(line, loaded.statistics, audio.frame_rate, seconds), seed)
        for seed, line in enumerate(lines)
    ]
    length = round(seconds * audio.frame_rate) * audio.hop + max(0, len(loaded.impulse_response) - 1)
    report_progress = progress or RecordingProgress()
    blocks = with_progress(_together(voices), length, audio.sample_rate, report_progress)
    gain = write_sound(output, blocks, audio.sample_rate)
    return {
        "seconds": length / audio.sample_rate,
        "sample_rate": audio.sample_rate,
        "name": loaded.manifest["instrument"]["name"],
        "voices": len(lines),
        "played_notes": sum(len(line.notes) for line in lines),
        "gain": gain,
        "notes": list(decibels_down(gain)),
    }


def _together(voices: list[Iterator[Audio]]) -> Iterator[Audio]:
    """Add up voices, whose blocks are equally long."""
    for blocks in zip(*voices, strict=True):
        yield np.sum(blocks, axis=0, dtype=np.float32)
