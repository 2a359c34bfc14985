"""The sections of the page: pure functions from the artifacts of a run to texts, tables and charts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from bundles.manifest import download
from common.progress import clock
from common.verdict import Verdict
from data.ingest_report import IngestReport, RecordingEntry
from pipeline.configuration.config import CreditConfig
from pipeline.report.charts import Axis, Series, histogram, line_chart
from pipeline.report.distributions import Distributions
from pipeline.report.page import Table
from pipeline.report.resynthesis import Resynthesis
from pipeline.report.sound import Clip, clips

Slices = Mapping[tuple[tuple[str, str], ...], Mapping[str, float]]  # slice -> figure -> value

NOTES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")
ABOUT = {
    "DataGate": "Are these recordings fit to train on, and like the last ones that were accepted?",
    "Evaluator": "Does the model beat a network-free baseline by enough, keep pitch and loudness, sound like the "
    "original, and lose nothing against earlier blessed models?",
    "BrowserValidator": "Do the exported files compute the same in a browser, and are they small?",
    "BundlePusher": "Did every gate bless it, so that it may be published?",
}
FIGURES = {  # name and unit of known figures
    "spectral_loss": ("Spectral loss", ""),
    "baseline_spectral_loss": ("Spectral loss of the baseline", ""),
    "loss_over_baseline": ("Loss over the baseline's", ""),
    "loss_over_reference": ("Loss over the full-size reference's", ""),
    "visqol": ("ViSQOL against the original", ""),
    "baseline_visqol": ("ViSQOL of the baseline", ""),
    "judged_windows": ("Windows judged against the original", ""),
    "octave_error_db": ("Largest level error of an octave", "dB"),
    "octaves": ("Levels by octave", ""),
    "error_db": ("Level error, dB", ""),
    "judged": ("Windows judged", ""),
    "weak": ("Windows in which it is weak", ""),
    "noise": ("Windows in which it is noise", ""),
    "f0_error_cents": ("Median pitch error", "cents"),
    "loudness_l1_db": ("Mean loudness error", "dB"),
    "example_count": ("Windows", ""),
    "snr_db": ("SNR against the SavedModel, dB", ""),
    "milliseconds": ("Time, ms", ""),
    "tfjs": ("TensorFlow.js", ""),
    "webgl_checked": ("WebGL checked", ""),
    "gpu_bytes": ("GPU memory", ""),
    "bundle_kilobytes": ("Bundle after gzip", "kB"),
    "checked_seconds": ("Checked on", "s"),
}


@dataclass(frozen=True)
class Head:
    """The head of the page.

    Attributes:
      because: why nothing was pushed.
      credits: of the recordings.
    """

    title: str
    description: str
    pushed: bool
    status: str
    when: str
    because: Sequence[str]
    credits: Sequence[CreditConfig]


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the page."""

    label: str
    value: str
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Sound:
    """One sound with its player."""

    label: str
    note: str
    clip: Clip


@dataclass(frozen=True)
class Example:
    """Sounds to compare."""

    title: str
    note: str
    sounds: Sequence[Sound]


@dataclass(frozen=True)
class Gate:
    """One gate's verdict, ready to show: single figures as facts, figures of figures as tables with their names."""

    name: str
    about: str
    blessed: bool
    reasons: Sequence[str]
    notes: Sequence[str]
    facts: Sequence[tuple[str, str]]
    tables: Sequence[tuple[str, Table]]


@dataclass(frozen=True)
class Chapter:
    """A section of words, then charts with their names, then a table."""

    summary: str
    charts: Sequence[tuple[str, Markup]] = ()
    table: Table | None = None


def number(value: float, digits: int = 3) -> str:
    """Format a figure: so many significant digits, integers whole, a dash for NaN and infinity."""
    if isinstance(value, int):
        return f"{value:,}"
    if not math.isfinite(value):
        return "–"
    if value == 0 or not 1e-3 <= abs(value) < 1e6:
        return f"{value:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def byte_size(count: float) -> str:
    """Format a size in bytes; a kilobyte has 1000 bytes."""
    if count < 1000:
        return f"{count:.0f} B"
    return f"{number(count / 1e3)} kB" if count < 1e6 else f"{number(count / 1e6)} MB"


def tiles(
    evaluated: Mapping[str, float], manifest: Mapping[str, Any] | None, ingest: IngestReport | None
) -> Iterator[Tile]:
    """Yield the figures that matter most, as far as they are known."""
    if "spectral_loss" in evaluated:
        share = f"{evaluated['loss_over_baseline']:.0%} of the baseline's" if "loss_over_baseline" in evaluated else ""
        yield Tile("Spectral loss", number(evaluated["spectral_loss"]), "", share)
    if "visqol" in evaluated:
        note = f"of 4.73; the baseline's {number(evaluated['baseline_visqol'])}"
        yield Tile("Like the original", number(evaluated["visqol"]), "ViSQOL", note)
    if "f0_error_cents" in evaluated:
        yield Tile("Pitch error", number(evaluated["f0_error_cents"], 2), "cents", "median")
    if "loudness_l1_db" in evaluated:
        yield Tile("Loudness error", number(evaluated["loudness_l1_db"], 2), "dB", "mean")
    if manifest:
        size, unit = byte_size(download(dict(manifest), ["controls"])["gzip_bytes"]).split()
        yield Tile("Download", size, unit, "gzip")
    if ingest:
        yield Tile("Recordings", f"{ingest.usable_minutes:.1f}", "minutes", f"{len(ingest.used)} used")


def listening(
    resyntheses: Sequence[Resynthesis], sample_rate: int, reference: Sequence[Resynthesis] = ()
) -> Iterator[Example]:
    """Yield every window beside its resynthesis, and beside that of a full-size reference if there is one.

    Args:
      resyntheses: by the model.
      sample_rate: Hz, of all sounds.
      reference: resyntheses of the same windows by the full-size reference; empty without one.
    """
    for window, full in zip_longest(resyntheses, reference):
        original, instrument, *by_reference = clips(
            [window.original, window.audio, *([full.audio] if full else [])], sample_rate
        )
        yield Example(
            title=window.recording,
            note=f"from {clock(window.start_seconds)} · spectral loss {number(window.loss)}, baseline "
            f"{number(window.baseline_loss)} · loudness error {number(window.loudness_error_db)} dB",
            sounds=[
                Sound("Recording", f"{original.seconds:.1f} s", original),
                Sound("Instrument", "from pitch and loudness", instrument),
                *(Sound("Full-size reference", f"spectral loss {number(full.loss)}", clip) for clip in by_reference),
            ],
        )


def gate(verdict: Verdict, slices: Slices | None = None) -> Gate:
    """Format a verdict with its figures, and those of every slice if there are any."""
    facts, tables = [], []
    for name, value in verdict.figures.items():
        if isinstance(value, Mapping) and any(isinstance(inner, Mapping) for inner in value.values()):
            tables.append((_label(name), _matrix({key: dict(_flat(inner)) for key, inner in value.items()})))
        else:
            facts += [(_label(key), _value(key, leaf)) for key, leaf in _flat({name: value}) if leaf not in (None, [])]
    if slices:
        tables.append(("By span, recording, register and dynamics", _slices(slices)))
    about = ABOUT.get(verdict.gate, "")
    return Gate(verdict.gate, about, verdict.blessed, verdict.reasons, verdict.notes, facts, tables)


def _flat(values: Any, above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf of nested mappings with its dotted name."""
    if not isinstance(values, Mapping):
        yield above, values
        return
    for name, value in values.items():
        yield from _flat(value, f"{above}.{name}" if above else name)


def _matrix(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """Make a table of one column a mapping, one row a name that occurs in any of them."""
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [(_label(name), *(_value(name, column.get(name)) for column in columns.values())) for name in names]
    return Table(("", *columns), rows, frozenset(range(1, len(columns) + 1)))


def _slices(metrics: Slices) -> Table:
    """Make a table of one row a slice; the slice of everything is left out."""
    names = [name for name in FIGURES if any(name in of for of in metrics.values())]
    rows = [
        (f"{_label(feature)}: {value}", *(_value(name, of.get(name)) for name in names))
        for key, of in sorted(metrics.items(), reverse=True)
        for feature, value in key
    ]
    return Table(("Slice", *(_label(name) for name in names)), rows, frozenset(range(1, len(names) + 1)))


def _label(name: str) -> str:
    plain = name.replace("_", " ").replace(".", " · ")
    return FIGURES[name][0] if name in FIGURES else plain[:1].upper() + plain[1:]


def _value(name: str, value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if not isinstance(value, int | float):
        return str(value)
    if name == "bytes" or name.endswith("_bytes"):
        return byte_size(value)
    unit = FIGURES.get(name, ("", ""))[1]
    whole = name in ("example_count", "judged_windows", "judged", "weak", "noise") and math.isfinite(value)
    return f"{number(round(value) if whole else value)} {unit}".strip()


def training(history: Mapping[str, Sequence[float]], facts: Mapping[str, Any], baseline: float | None) -> Chapter:
    """Chart losses over steps.

    Args:
      history: `train_loss` of every step, `eval_loss` after `eval_steps`.
      facts: the `training` section of the model's description.
      baseline: the network-free baseline's loss on the eval windows, where it is known.
    """
    train, evaluated = np.asarray(history["train_loss"], float), np.asarray(history["eval_loss"], float)
    steps, eval_steps = np.arange(1.0, len(train) + 1), np.asarray(history["eval_steps"], float)
    everything = np.concatenate([train, evaluated, [] if baseline is None else [baseline]])
    top = float(np.quantile(everything, 0.98))  # the first steps would press all others flat
    series = [
        Series("training windows", steps, train, "faint"),
        Series("training windows, smoothed", _smoothed(steps), _smoothed(train)),
        Series("eval windows", eval_steps, evaluated, "points"),
    ]
    chart = line_chart(
        [curve for curve in series if len(curve.x)],
        Axis.linear(0.0, float(max(steps.max(initial=1), eval_steps.max(initial=1))), "steps"),
        Axis.linear(0.95 * float(everything.min()), 1.05 * max(top, baseline or 0.0), "spectral loss"),
        None if baseline is None else (baseline, "network-free baseline, eval windows"),
    )
    return Chapter(_training_summary(facts), [("", chart)])


def _smoothed(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Average values [points] over a sixtieth of them at a time: a moving mean."""
    width = max(1, len(values) // 60)
    return np.convolve(values, np.ones(width) / width, "valid")


def _training_summary(facts: Mapping[str, Any]) -> str:
    words = f"{facts['steps']:,} steps in {number(facts['seconds'] / 60)} minutes, seed {facts['seed']}."
    if "best_step" in facts:
        words += (
            f" The weights of step {facts['best_step']:,} were the best and are kept: "
            f"eval loss {number(facts['eval_loss'])} in the precision that ships."
        )
    if facts.get("stopped_early"):
        words += " Training stopped early, since the eval loss no longer fell."
    if facts.get("warm_start"):
        words += " It started from the last blessed model."
    return words


def recordings(ingest: IngestReport, counted: Distributions | None, sample_rate: int) -> Chapter:
    """List the analysis of every recording, and chart pitch and loudness; name a lower rate than `sample_rate` (Hz)
    where the recordings reach no further than that holds.
    """
    columns = (
        "Recording",
        "Verdict",
        "Length",
        "Usable",
        "Train windows",
        "Eval windows",
        "Pitch, Hz",
        "Reach, kHz",
        "Voiced",
    )
    table = Table(columns, [_recording(entry) for entry in ingest.recordings], frozenset(range(2, 9)))
    charts = [("Pitch", pitch_chart(counted)), ("Loudness", loudness_chart(counted))] if counted else []
    lower = ingest.lower_rate(sample_rate)
    words = f" No recording reaches further: audio.sample_rate={lower} would do." if lower else ""
    return Chapter(f"{ingest.summary()}.{words}", charts, table)


def _recording(entry: RecordingEntry) -> tuple[str, ...]:
    pitched = entry.low_f0_hz is not None and entry.high_f0_hz is not None
    return (
        entry.recording,
        entry.explanation,
        "" if entry.seconds is None else clock(entry.seconds),
        clock(entry.usable_seconds) if entry.verdict == "used" else "",
        str(entry.train_windows or ""),
        str(entry.eval_windows or ""),
        f"{entry.low_f0_hz:.0f}–{entry.high_f0_hz:.0f}" if pitched else "",
        "" if entry.reach_hz is None else f"{entry.reach_hz / 1000:.1f}",
        "" if entry.voiced_fraction is None else f"{entry.voiced_fraction:.0%}",
    )


def pitch_chart(counted: Distributions) -> Markup:
    """Chart how often each semitone occurs, with the names of some notes."""
    low, high = float(counted.midi_edges[0]), float(counted.midi_edges[-1])
    every = 12 if high - low > 30 else 4 if high - low > 14 else 2
    marked = range(math.ceil(low), math.floor(high) + 1)
    ticks = [(float(midi), note_name(midi)) for midi in marked if midi % every == 0]
    return histogram(counted.midi_counts, counted.midi_edges, Axis(low, high, ticks, "note"))


def loudness_chart(counted: Distributions) -> Markup:
    """Chart how often each loudness occurs."""
    axis = Axis.linear(float(counted.loudness_edges[0]), float(counted.loudness_edges[-1]), "dB, A-weighted")
    return histogram(counted.loudness_counts, counted.loudness_edges, axis)


def note_name(midi: int) -> str:
    """Return the name of a MIDI note: 60 is C4."""
    return f"{NOTES[midi % 12]}{midi // 12 - 1}"


def sizes(manifest: Mapping[str, Any]) -> Chapter:
    """List the bundle's files, and the bytes that the export saved."""
    plain, full = (download(dict(manifest), [graph]) for graph in ("controls", "full"))
    words = (
        f"A page with a synthesiser of its own fetches {byte_size(plain['bytes'])} ({byte_size(plain['gzip_bytes'])} "
        f"after gzip): manifest, impulse response and controls. One that runs the full graph fetches "
        f"{byte_size(full['bytes'])} ({byte_size(full['gzip_bytes'])})."
    )
    saved = manifest["optimisation"].get("full", {}).get("weight_bytes")
    if saved:
        before, after = byte_size(saved["before"]), byte_size(saved["after"])
        words += f" Folding constants and duplicates took the full graph's weights from {before} to {after}."
    rows = [(file["path"], byte_size(file["bytes"]), byte_size(file["gzip_bytes"])) for file in manifest["files"]]
    return Chapter(words, (), Table(("File", "Size", "After gzip"), rows, frozenset({1, 2})))
