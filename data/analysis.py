"""Analyses one recording: decodes, screens and measures it. Shared by the pipeline and by `check`."""

from __future__ import annotations

import contextlib
import os
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.loudness import FLOOR_DB
from common.pitch import is_voiced
from data.config import ExtractionConfig
from data.features.bandwidth import reach
from data.features.loudness import loudness_and_rms
from data.features.pitch import measure_pitch
from data.features.polyphony import measure_polyphony
from data.features.screening import screen_pitch, screen_polyphony, screen_range, screen_sound
from data.features.tracker import Tracker
from data.files.decode import Source, Spool, Unusable, decode
from data.ingest_report import RecordingEntry
from data.windows.segments import Ranges, loud_level, runs, segments, sounding
from data.windows.splits import Sound, length

Floats = npt.NDArray[np.float32]

LOWEST_DB = -140.0  # of loudness; the quietest recordings have silences too, which FLOOR_DB would hide
UNPRINTED = {"Cc", "Cf", "Zl", "Zp"}  # control and format characters, separators of lines and paragraphs
JOINERS = "\u200c\u200d"  # format characters that Indian and Persian words are written with


@dataclass(frozen=True)
class Features:
    """What is measured of a recording, each [frames].

    Attributes:
      f0_hz: Hz, continuous and positive.
      f0_confidence: 0 to 1.
      loudness_db: A-weighted dB, at least -80.
      rms_energy: linear.
    """

    f0_hz: Floats
    f0_confidence: Floats
    loudness_db: Floats
    rms_energy: Floats


@dataclass(frozen=True)
class Analysis:
    """The analysis of one recording.

    Attributes:
      entry: for the report; its verdict is preliminary, windows are not counted yet.
      features: None where it is set aside.
      segments: its sound without long silences, in frames.
      silences: where nothing sounds, in frames, those within segments too.
    """

    entry: RecordingEntry
    features: Features | None = None
    segments: Ranges = ()
    silences: Ranges = ()

    @property
    def sound(self) -> Sound:
        """Id, length, segments and silences of a usable recording."""
        assert self.features is not None
        assert self.entry.recording_id is not None
        return Sound(self.entry.recording_id, len(self.features.f0_hz), self.segments, self.silences)

    def summary(self) -> tuple[RecordingEntry, Sound | None]:
        """Return all but the features: small enough to gather from all recordings."""
        return self.entry, self.sound if self.features is not None else None


def make_tracker(config: ExtractionConfig) -> Tracker:
    """Make the configured tracker.

    Raises:
      UserError: it is not installed.
    """
    pitch = config.examples.pitch
    return Tracker(
        pitch.tracker,
        config.audio.sample_rate,
        config.audio.frame_rate,
        pitch.crepe_capacity,
        pitch.crepe_viterbi,
        pitch.octaves,
    )


def analyse(
    base: str,
    name: str,
    config: ExtractionConfig,
    tracker: Tracker,
    on_progress: Callable[[float], None] | None = None,
) -> Analysis:
    """Analyse a recording; never fail because of what it holds.

    Args:
      base: folder or URI of recordings.
      name: of the file, relative to it.
      config: what to measure and what to set aside.
      tracker: as `make_tracker` returns it.
      on_progress: called with the seconds analysed so far.
    """
    entry = RecordingEntry(shown_name(base, name), "used")
    try:
        with local_file(base, name) as path, Spool() as spool:
            source = decode(path, config.audio.sample_rate, spool)
            entry = _describe(entry, source)
            entry = replace(entry, reach_hz=reach(spool.read, spool.samples, config.audio.sample_rate))
            screen_sound(source, config.examples.screening)
            spool.pad(config.audio.window_samples)
            return _measure(entry, spool, config, tracker, on_progress)
    except Unusable as unusable:
        held = entry.container_seconds if unusable.container_seconds is None else unusable.container_seconds
        entry = replace(entry, container_seconds=held)
        return Analysis(replace(entry, verdict="set aside", reason=unusable.reason, at_seconds=unusable.at_seconds))
    except OSError as error:
        reason = f"cannot be read ({error.strerror or error})"
        return Analysis(replace(entry, verdict="set aside", reason=reason))


def _describe(entry: RecordingEntry, source: Source) -> RecordingEntry:
    return replace(
        entry,
        recording_id=source.recording_id,
        seconds=source.seconds,
        sample_rate=source.sample_rate,
        channels=source.channels,
        clipped_fraction=source.clipped_fraction,
        container_seconds=source.container_seconds,
    )


def _measure(
    entry: RecordingEntry,
    spool: Spool,
    config: ExtractionConfig,
    tracker: Tracker,
    on_progress: Callable[[float], None] | None,
) -> Analysis:
    audio, screening = config.audio, config.examples.screening
    level_db, rms_energy = loudness_and_rms(spool.read, spool.samples, audio, LOWEST_DB)
    loudness_db = np.maximum(level_db, np.float32(FLOOR_DB))
    pitch = measure_pitch(spool.read, spool.samples, audio, tracker, rms_energy, on_progress)
    f0_hz, f0_confidence, beyond = pitch.f0_hz, pitch.f0_confidence, pitch.beyond
    is_sound = sounding(level_db, screening)
    within = is_sound & ~beyond.above & ~beyond.below
    voiced = within & is_voiced(f0_confidence)
    voiced_fraction = float(voiced.sum() / max(1, within.sum()))
    beyond_fraction = float(1 - within.sum() / is_sound.sum())
    entry = replace(
        entry,
        loud_db=loud_level(level_db),
        voiced_fraction=voiced_fraction,
        beyond_fraction=beyond_fraction,
        hum_hz=pitch.hum.hertz if pitch.hum else None,
    )
    if voiced.any():
        low, high = np.percentile(f0_hz[voiced], (5, 95))
        entry = replace(entry, low_f0_hz=float(low), high_f0_hz=float(high))
    try:
        screen_range(beyond, beyond_fraction, tracker.range_hz, config.examples.pitch)
        screen_pitch(voiced_fraction, screening)
        polyphony = measure_polyphony(
            spool.read,
            spool.samples,
            audio.sample_rate,
            f0_hz,
            f0_confidence,
            audio.frame_rate,
            pitch.hum,
        )
        entry = replace(entry, polyphony=polyphony.share)
        screen_polyphony(polyphony, screening)
        kept = segments(within, audio, screening)
        if not kept:
            raise Unusable("holds nothing but clicks between silences")
    except Unusable as unusable:
        return Analysis(replace(entry, verdict="set aside", reason=unusable.reason, at_seconds=unusable.at_seconds))
    usable = min(length(kept) / audio.frame_rate, entry.seconds or 0.0)
    features = Features(f0_hz, f0_confidence, loudness_db, rms_energy)
    return Analysis(replace(entry, usable_seconds=usable), features, kept, runs(~is_sound))


def printable_name(name: str) -> str:
    """Convert a file's name to text that is the same on every machine, in one line, and harmless on a terminal.

    That is composed Unicode, with undecodable bytes replaced, and line breaks and control characters escaped.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    return "".join(_escaped(letter) if unicodedata.category(letter) in UNPRINTED else letter for letter in text)


def shown_name(base: str, name: str) -> str:
    """Convert a file's name to text as `printable_name` does, or so that it differs from that of a file beside it.

    Two names may differ in their Unicode form alone; that which is not composed then has its letters escaped.
    """
    printable = printable_name(name)
    if printable == name or "://" in base or not (Path(base) / printable).exists():
        return printable
    if (Path(base) / printable).samefile(Path(base) / name):  # a file system that knows one form only
        return printable
    return "".join(letter if letter.isascii() else _escaped(letter) for letter in name)


def _escaped(letter: str) -> str:
    return letter if letter in JOINERS else letter.encode("unicode_escape").decode("ascii")


@contextlib.contextmanager
def local_file(base: str, name: str) -> Iterator[Path]:
    """Yield the path of the file itself where `base` is a folder, of a temporary copy where it is a URI."""
    if "://" not in base:
        yield Path(base) / name
        return
    from tfx.dsl.io import fileio

    with tempfile.TemporaryDirectory(prefix="swara-recording-") as folder:
        copy = os.path.join(folder, "recording" + os.path.splitext(name)[1])
        fileio.copy(f"{base.rstrip('/')}/{name}", copy, overwrite=True)
        yield Path(copy)
