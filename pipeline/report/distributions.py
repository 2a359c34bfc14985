"""How often each pitch and each loudness occurs in the training windows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.audio import AudioConfig
from common.features import F0_CONFIDENCE, F0_HZ, LOUDNESS_DB, PITCH_AND_LOUDNESS
from common.loudness import FLOOR_DB
from common.pitch import hz_to_midi, is_voiced
from data.windows.examples import read_examples, split_files

Array = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Distributions:
    """Histograms of pitch and loudness over frames.

    Attributes:
      midi_counts: [semitones], of frames with a trusted pitch.
      midi_edges: [semitones + 1], MIDI.
      loudness_counts: [bins], of frames that are not silent.
      loudness_edges: [bins + 1], dB.
    """

    midi_counts: Array
    midi_edges: Array
    loudness_counts: Array
    loudness_edges: Array


def distributions(examples: Path, audio: AudioConfig) -> Distributions:
    """Count frames of the training windows of an Examples artifact, window by window.

    Args:
      examples: folder of the artifact.
      audio: length of a window.
    """
    midi_edges, loudness_edges = np.arange(20.5, 110.0), np.arange(FLOOR_DB, 21.0, 2.0)
    midi_counts, loudness_counts = np.zeros(len(midi_edges) - 1), np.zeros(len(loudness_edges) - 1)
    lengths: dict[str, int | None] = dict.fromkeys(PITCH_AND_LOUDNESS, audio.window_frames)
    for example in read_examples(split_files(examples / "Split-train"), lengths):
        frames = example.features
        voiced = is_voiced(frames[F0_CONFIDENCE])
        midi_counts += np.histogram(hz_to_midi(frames[F0_HZ][voiced]), midi_edges)[0]
        loudness_counts += np.histogram(frames[LOUDNESS_DB], loudness_edges)[0]
    loudness_counts[0] = 0.0  # silence
    return Distributions(*_trimmed(midi_counts, midi_edges), *_trimmed(loudness_counts, loudness_edges))


def _trimmed(counts: Array, edges: Array) -> tuple[Array, Array]:
    """Cut the empty bins at both ends of counts [bins] and edges [bins + 1]; keep all where every bin is empty."""
    used = np.flatnonzero(counts > counts.sum() * 1e-4)
    if not len(used):
        return counts, edges
    return counts[used[0] : used[-1] + 1], edges[used[0] : used[-1] + 2]
