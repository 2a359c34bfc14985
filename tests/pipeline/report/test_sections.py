"""Figures are formatted for people, and every verdict has all that was measured."""

import math

import numpy as np
import pytest

from common.verdict import Verdict
from data.ingest_report import IngestReport, RecordingEntry
from pipeline.report import sections
from pipeline.report.distributions import Distributions

HISTORY = {"train_loss": [20.0, 12.0, 8.0, 7.0], "eval_steps": [0, 2, 4], "eval_loss": [21.0, 9.0, 7.5]}
FACTS = {"steps": 4, "seconds": 90.0, "seed": 3, "best_step": 4, "eval_loss": 7.51, "stopped_early": True}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (6.4123, "6.41"),
        (71.25, "71.2"),
        (120.4, "120"),
        (0.7023, "0.702"),
        (0.0, "0"),
        (12345.6, "12,346"),
        (1234567, "1,234,567"),
        (1e-7, "1e-07"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_numbers_have_three_digits_that_matter(value: float, text: str):
    assert sections.number(value) == text


@pytest.mark.parametrize(("count", "text"), [(999, "999 B"), (27044, "27.0 kB"), (4_850_000, "4.85 MB")])
def test_sizes_have_units(count: int, text: str):
    assert sections.byte_size(count) == text


@pytest.mark.parametrize(("midi", "name"), [(60, "C4"), (69, "A4"), (58, "B♭3")])
def test_notes_have_names(midi: int, name: str):
    assert sections.note_name(midi) == name


def test_a_gate_shows_single_figures_as_facts_and_figures_of_figures_as_tables():
    figures = {
        "webgl_checked": True,
        "gpu_bytes": 2_000_000,
        "renderer": None,
        "console_errors": [],
        "windows": {"train": 210, "eval": 9},
        "snr_db": {"webgl": {"audio": 50.12}, "wasm": {"audio": 99.0, "amplitude": 120.0}},
    }
    shown = sections.gate(Verdict.of("BrowserValidator", [], figures))
    assert shown.facts == [
        ("WebGL checked", "yes"),
        ("GPU memory", "2.00 MB"),
        ("Windows · train", "210"),
        ("Windows · eval", "9"),
    ]
    [(name, table)] = shown.tables
    assert name == "SNR against the SavedModel, dB"
    assert list(table.columns) == ["", "webgl", "wasm"]
    assert list(table.rows) == [("Audio", "50.1", "99.0"), ("Amplitude", "–", "120")]


def test_the_evaluator_is_shown_slice_by_slice():
    overall = {"spectral_loss": 6.4, "f0_error_cents": 3.2, "example_count": 12.0}
    slices = {(): overall, (("register", "C4-B4"),): {**overall, "spectral_loss": 7.0}}
    shown = sections.gate(Verdict.of("Evaluator", ["too bad"], overall), slices)
    assert not shown.blessed
    assert shown.reasons == ("too bad",)
    [(_, table)] = shown.tables
    assert list(table.rows) == [("Register: C4-B4", "7.00", "3.20 cents", "12")]


def test_training_is_summarised_and_drawn_with_the_baseline():
    chapter = sections.training(HISTORY, FACTS, 9.5)
    assert "4 steps in 1.50 minutes, seed 3" in chapter.summary
    assert "eval loss 7.51" in chapter.summary
    assert "stopped early" in chapter.summary
    [(_, chart)] = chapter.charts
    assert "network-free baseline" in chart
    assert chart.count("<path") == 4  # two lines, a line with its points


def test_training_without_a_baseline_draws_no_level():
    [(_, chart)] = sections.training(HISTORY, FACTS, None).charts
    assert "baseline" not in chart


def test_every_recording_stands_in_the_table_with_verdict_time_and_reason():
    used = RecordingEntry("a.wav", "used", None, None, "ab", 100.0, 90.0, 44100, 1, 80, 4, -20.0, 220.0, 880.0, 0.97)
    aside = RecordingEntry("b.wav", "set aside", "is truncated", 12.4)
    chapter = sections.recordings(IngestReport((used, aside)), None, 48000)
    assert chapter.table is not None
    assert list(chapter.table.rows) == [
        ("a.wav", "used", "1:40", "1:30", "80", "4", "220–880", "", "97%"),
        ("b.wav", "set aside at 0:12.4: is truncated", "", "", "", "", "", "", ""),
    ]
    assert "1 of 2 recordings used, 1.5 minutes" in chapter.summary


@pytest.mark.parametrize(("low", "high", "marked"), [(54.5, 84.5, "C5"), (48.5, 90.5, "C6"), (59.5, 66.5, "D4")])
def test_pitch_is_marked_by_the_names_of_notes(low: float, high: float, marked: str):
    edges = np.arange(low, high + 0.5)
    found = Distributions(np.ones(len(edges) - 1), edges, np.ones(2), np.array([-20.0, -10.0, 0.0]))
    assert f">{marked}<" in sections.pitch_chart(found)
    assert ">−20<" in sections.loudness_chart(found)


@pytest.mark.parametrize(
    ("reaches", "measured_at", "lower"),
    [
        ((6900.0, 5000.0), 48000, 16000),
        ((6900.0, 9000.0), 48000, 32000),
        ((20000.0,), 48000, None),
        ((6900.0,), 16000, None),
    ],
)
def test_a_lower_rate_is_named_only_where_all_that_is_used_fits_into_it(reaches, measured_at: int, lower: int | None):
    entries = tuple(RecordingEntry(f"{hz}.wav", "used", reach_hz=hz) for hz in reaches)
    aside = RecordingEntry("aside.wav", "set aside", "is empty", reach_hz=21000.0)
    report = IngestReport((*entries, aside))
    assert report.lower_rate(measured_at) == lower
    summary = sections.recordings(report, None, measured_at).summary
    assert ("would do" in summary) == (lower is not None)
    assert f"{reaches[0] / 1000:.1f} kHz" in report.table()
