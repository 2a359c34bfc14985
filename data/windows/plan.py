"""Plans over all recordings at once: duplicates, sides, windows, and whether there is enough to go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from common.features import NO_SPAN
from data.config import ExtractionConfig
from data.files.listing import newest_span, span_of
from data.ingest_report import IngestReport, RecordingEntry
from data.windows.originals import LEAST_SECONDS, choose_judged
from data.windows.segments import eval_starts, train_starts, without
from data.windows.splits import LONG_SECONDS, Sound, SplitRanges, length, split

LEAST_SOUND = 0.5  # share of a window's frames that sound, for it to be judged: two silences are alike
Summary = tuple[RecordingEntry, Sound | None]  # of `Analysis.summary`


@dataclass(frozen=True)
class Cuts:
    """Starts of the windows of one recording, in frames.

    Attributes:
      train: starts of training windows.
      eval: starts of eval windows.
      judged: those of them that are judged against the original.
      span: the folder `span-N` it lies in, or `NO_SPAN`: gates judge every span by itself.
    """

    train: tuple[int, ...] = ()
    eval: tuple[int, ...] = ()
    judged: tuple[int, ...] = ()
    span: str = NO_SPAN


@dataclass(frozen=True)
class Plan:
    """The verdicts on all recordings, and the windows to cut.

    Attributes:
      report: the verdict on each, and over all.
      cuts: by name of the recording; empty where the run does not go on.
    """

    report: IngestReport
    cuts: Mapping[str, Cuts] = field(default_factory=dict)


def make_plan(summaries: Iterable[Summary], config: ExtractionConfig) -> Plan:
    """Plan what to cut from all recordings, in whatever order they come."""
    ordered = _without_copies(sorted(summaries, key=lambda summary: summary[0].recording))
    newest = newest_span(entry.recording for entry, _ in ordered)
    sides = _sides(ordered, config)
    starts = {one: eval_starts(of.eval, config.audio) for one, of in sides.items()}
    sounding = {
        sound.recording_id: _sounding(starts[sound.recording_id], sound, config) for _, sound in ordered if sound
    }
    judged = choose_judged(sounding, config.audio.frame_rate)
    cuts = {
        entry.recording: Cuts(
            tuple(train_starts(sides[sound.recording_id].train, config.audio, config.examples)),
            tuple(starts[sound.recording_id]),
            judged.get(sound.recording_id, ()),
            span_of(entry.recording) or NO_SPAN,
        )
        for entry, sound in ordered
        if sound
    }
    entries = tuple(_counted(entry, cuts.get(entry.recording)) for entry, _ in ordered)
    report = IngestReport(entries)
    report = replace(report, refusals=_refusals(report, newest, config))
    return Plan(report, cuts if report.would_run else {})


def _without_copies(summaries: Iterable[Summary]) -> list[Summary]:
    """Keep the first of recordings with the same content; the others have no sound of their own."""
    first: dict[str, str] = {}
    kept: list[Summary] = []
    for entry, sound in summaries:
        if sound is None:
            kept.append((entry, None))
            continue
        original = first.setdefault(sound.recording_id, entry.recording)
        if original == entry.recording:
            kept.append((entry, sound))
        else:
            reason = f"holds the same audio as {original}"
            kept.append((replace(entry, verdict="duplicate", reason=reason, usable_seconds=0.0), None))
    return kept


def _sides(summaries: Iterable[Summary], config: ExtractionConfig) -> dict[str, SplitRanges]:
    """Divide every recording into sides, by its id. Each span is split by itself.

    So a recording stays on its side whichever spans it is used with, and no model that is trained further, or compared
    with, was trained on what it is judged by.
    """
    spans: dict[str | None, list[Sound]] = {}
    for entry, sound in summaries:
        if sound:
            spans.setdefault(span_of(entry.recording), []).append(sound)
    split_spans = [split(sounds, config.audio, config.examples) for sounds in spans.values()]
    return {recording_id: sides for sides_of in split_spans for recording_id, sides in sides_of.items()}


def _sounding(starts: Iterable[int], sound: Sound, config: ExtractionConfig) -> list[int]:
    """Leave out the windows, by their starts, that are silent: in which less sounds than `LEAST_SOUND`.

    Shorter windows than can be judged are left out as well.
    """
    window = config.audio.window_frames
    if config.audio.window_seconds < LEAST_SECONDS:
        return []
    return [
        start for start in starts if length(without(((start, start + window),), sound.silences)) >= LEAST_SOUND * window
    ]


def _counted(entry: RecordingEntry, cuts: Cuts | None) -> RecordingEntry:
    return replace(entry, train_windows=len(cuts.train), eval_windows=len(cuts.eval)) if cuts else entry


def _refusals(report: IngestReport, newest: str | None, config: ExtractionConfig) -> tuple[str, ...]:
    least = config.examples.min_minutes
    if not report.used:
        return ("none of the recordings can be used: the table states why",)
    if not any(span_of(entry.recording) == newest for entry in report.used):
        return (f"none of the recordings in {newest}, the newest span, can be used: the table states why",)
    if report.usable_minutes < least:
        return (
            f"{report.usable_minutes:.2f} minutes are usable, at least {least:g} are needed: add recordings, or lower "
            "examples.min_minutes",
        )
    reasons = []
    for side, windows in (("training", report.train_windows), ("evaluation", report.eval_windows)):
        if not windows:
            reasons.append(
                f"nothing is left for {side}: add a second recording, or one of more than {LONG_SECONDS:g} s"
            )
    return tuple(reasons)
