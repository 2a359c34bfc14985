"""A voice is adjusted to an instrument as by ddsp's timbre-transfer notebook; odd voices give finite features."""

from dataclasses import replace

import numpy as np
import pytest

from common.pitch import hz_to_midi, midi_to_hz
from data.features.statistics import DatasetStatistics, QuantileTransformer, Spread, detect_notes
from player import adjust as adjusting
from player.adjust import AdjustOptions, adjust, rms_from_loudness


def instrument(quantiles: np.ndarray, mean_pitch: float) -> DatasetStatistics:
    """An instrument of which only the mean pitch and the loudness quantiles matter."""
    unused = Spread(mean=-1.0, max=-1.0, min=-1.0, mean_max=-1.0, mean_min=-1.0, std=-1.0)
    pitch = Spread(mean=mean_pitch, max=90.0, min=40.0, mean_max=80.0, mean_min=50.0, std=5.0)
    return DatasetStatistics(pitch, unused, unused, unused, QuantileTransformer(quantiles))


FLUTE = instrument(np.linspace(-50.0, -10.0, 101), mean_pitch=74.0)


def melody(seconds: float = 4.0, lowest_midi: float = 50.0, tuning: float = 0.0) -> dict[str, np.ndarray]:
    """Notes of a C major scale, a third of a second each, that swell and fade, between silences of half a second."""
    time = np.arange(int(250 * seconds)) / 250.0
    steps = np.array([0, 2, 4, 5, 7, 9, 11, 12])[(time * 3).astype(int) % 8]
    sounding = (time % 2.0) < 1.5
    return {
        "f0_hz": midi_to_hz(lowest_midi + steps + tuning),
        "loudness_db": np.where(sounding, -30.0 + 6.0 * np.sin(5.0 * time), -75.0),
        "f0_confidence": np.where(sounding, 0.97, 0.1),
    }


@pytest.mark.parametrize("source", ["low", "near", "high"])
def test_golden_auto_adjust(golden, source):
    fixture = golden("auto_adjust")
    statistics = instrument(fixture["stats_quantiles"][:, 0], float(fixture["stats_mean_pitch"]))
    options = AdjustOptions(
        note_threshold=float(fixture["threshold"]),
        quiet_db=float(fixture["quiet_db"]),
        autotune=float(fixture["autotune"]),
        octave_rule="notebook",
    )
    loudness, confidence = fixture["source_loudness_db"], fixture["source_f0_confidence"]
    mask, ratio = detect_notes(loudness, confidence)
    np.testing.assert_array_equal(mask, fixture["mask_on"])
    np.testing.assert_allclose(ratio, fixture["note_on_value"], atol=1e-3)

    adjusted = adjust(fixture[f"{source}_source_f0_hz"], loudness, confidence, statistics, options)
    assert adjusted.octave_shift == fixture[f"{source}_octave_shift"]
    assert adjusted.tuning_factor == pytest.approx(float(fixture[f"{source}_tuning_factor"]), abs=1e-12)
    np.testing.assert_array_equal(adjusted.mask_on, fixture["mask_on"])
    matched = fixture["loudness_db_quantile"][:, 0]
    np.testing.assert_allclose(adjusted.loudness_db[mask], matched[mask], atol=1e-3)
    np.testing.assert_allclose(adjusted.loudness_db, fixture["loudness_db_out"], atol=1e-3)
    np.testing.assert_allclose(adjusted.f0_hz, fixture[f"{source}_f0_hz_out"], atol=1e-3)

    midi = hz_to_midi(fixture[f"{source}_f0_hz_shifted"])
    np.testing.assert_allclose(midi, fixture[f"{source}_f0_midi"], atol=1e-4)
    tuned = adjusting.auto_tune(midi, adjusted.tuning_factor, mask, options.autotune)
    np.testing.assert_allclose(tuned, fixture[f"{source}_auto_tune_midi"], atol=1e-3)
    chromatic = adjusting.auto_tune(midi, adjusted.tuning_factor, mask, options.autotune, chromatic=True)
    # Half-way between two semitones the fixture's own float32 rounding chose; a handful of frames at most.
    decided = np.abs((midi - adjusted.tuning_factor) % 1.0 - 0.5) > 1e-5
    assert np.count_nonzero(~decided) <= 3
    expected = fixture[f"{source}_auto_tune_chromatic_midi"]
    np.testing.assert_allclose(chromatic[decided], expected[decided], atol=1e-3)


def test_golden_auto_adjust_survives_the_manifests_reduced_quantiles(golden):
    """The manifest's quantiles instead of 1000 move the loudness of a note by at most 0.5 dB, 0.1 dB on average."""
    fixture = golden("auto_adjust")
    full = instrument(fixture["stats_quantiles"][:, 0], float(fixture["stats_mean_pitch"]))
    reduced = DatasetStatistics.from_json(full.to_json())
    voice = [fixture[name] for name in ("near_source_f0_hz", "source_loudness_db", "source_f0_confidence")]
    difference = np.abs(adjust(*voice, reduced).loudness_db - adjust(*voice, full).loudness_db)
    assert difference.max() <= 0.501
    assert difference.mean() < 0.1


def test_notes_take_the_instruments_loudness_and_keep_their_order():
    voice = melody()
    adjusted = adjust(**voice, statistics=FLUTE)
    notes = adjusted.loudness_db[adjusted.mask_on]
    assert notes.min() == pytest.approx(-50.0)
    assert notes.max() == pytest.approx(-10.0)
    assert np.median(notes) == pytest.approx(-30.0, abs=0.5)
    order = np.argsort(voice["loudness_db"][adjusted.mask_on], kind="stable")
    assert np.all(np.diff(notes[order]) >= 0.0)


def test_rests_are_turned_down_by_at_most_the_gate_and_never_raised():
    voice = melody()
    for threshold in (0.5, 1.0, 1.8):
        adjusted = adjust(**voice, statistics=FLUTE, options=AdjustOptions(note_threshold=threshold, quiet_db=15.0))
        change = (adjusted.loudness_db - voice["loudness_db"])[~adjusted.mask_on]
        assert change.min() >= -15.0
        assert change.max() <= 0.0


@pytest.mark.parametrize(
    ("midi", "octaves"),
    [(74.0, 0), (73.0, 1), (62.0, 1), (57.0, 2), (55.9, 1), (50.0, 2), (38.0, 3), (75.0, 0), (85.9, 0), (86.0, -1)],
)
def test_octaves_round_up_within_one_and_a_half_below_the_target_and_above_it(midi, octaves):
    assert adjusting.octave_shift(np.array([midi]), 74.0) == octaves


@pytest.mark.parametrize("tuning", [-0.4, -0.13, 0.0, 0.25])
def test_the_tuning_of_a_voice_is_found_to_a_cent(tuning):
    assert adjust(**melody(tuning=tuning), statistics=FLUTE).tuning_factor == pytest.approx(tuning, abs=0.011)


def test_full_chromatic_autotune_puts_a_detuned_voice_on_semitones_above_its_tuning():
    rng = np.random.default_rng(1)
    voice = melody(tuning=0.2)
    voice["f0_hz"] *= 2.0 ** (rng.normal(0.0, 0.1, 1000) / 12.0)
    adjusted = adjust(**voice, statistics=FLUTE, options=AdjustOptions(autotune=1.0, chromatic=True))
    residue = hz_to_midi(adjusted.f0_hz) - adjusted.tuning_factor
    np.testing.assert_allclose(residue, np.round(residue), atol=1e-6)


def test_full_autotune_puts_a_voice_on_the_scale_it_sings():
    voice = melody(lowest_midi=48.0)
    voice["f0_hz"] = voice["f0_hz"] * 2.0 ** (0.3 / 12.0)
    adjusted = adjust(**voice, statistics=FLUTE, options=AdjustOptions(autotune=1.0))
    pitch_classes = set(np.round(hz_to_midi(adjusted.f0_hz), 6) % 12)
    assert pitch_classes == {0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0}


@pytest.mark.parametrize(
    "odd",
    [
        {"f0_confidence": np.zeros(1000)},
        {"loudness_db": np.full(1000, -80.0)},
        {"loudness_db": np.full(1000, -80.0), "f0_confidence": np.zeros(1000)},
    ],
    ids=["unvoiced", "silent", "both"],
)
def test_without_notes_only_the_shifts_by_hand_are_made(odd):
    voice = {**melody(), **odd}
    adjusted = adjust(**voice, statistics=FLUTE, options=AdjustOptions(octaves=1, loudness_db=3.0, autotune=1.0))
    assert (adjusted.octave_shift, adjusted.tuning_factor, adjusted.mask_on.any()) == (0.0, 0.0, False)
    np.testing.assert_allclose(adjusted.f0_hz, 2.0 * voice["f0_hz"])
    np.testing.assert_allclose(adjusted.loudness_db, voice["loudness_db"] + 3.0)


def test_without_automatic_only_shifts_by_hand_are_made_but_notes_are_still_detected():
    voice = melody()
    adjusted = adjust(**voice, statistics=FLUTE, options=AdjustOptions(automatic=False, octaves=-1))
    np.testing.assert_allclose(adjusted.f0_hz, 0.5 * voice["f0_hz"])
    np.testing.assert_array_equal(adjusted.loudness_db, voice["loudness_db"])
    assert adjusted.mask_on.any()


def test_a_constant_loudness_becomes_the_instruments_median():
    voice = {**melody(), "loudness_db": np.full(1000, -22.0), "f0_confidence": np.full(1000, 0.95)}
    adjusted = adjust(**voice, statistics=FLUTE)
    np.testing.assert_allclose(adjusted.loudness_db[adjusted.mask_on], -30.0)


@pytest.mark.parametrize("frames", [1, 2, 10, 39, 100, 249])
def test_clips_under_a_second_come_out_finite(frames):
    voice = {name: feature[:frames] for name, feature in melody().items()}
    adjusted = adjust(**voice, statistics=FLUTE, options=AdjustOptions(autotune=0.5))
    assert adjusted.f0_hz.shape == adjusted.loudness_db.shape == adjusted.mask_on.shape == (frames,)
    assert np.all(np.isfinite(adjusted.f0_hz))
    assert np.all(np.isfinite(adjusted.loudness_db))


def test_one_steady_note_has_a_tuning():
    voice = {**melody(), "f0_hz": np.full(1000, float(midi_to_hz(60.31)))}
    assert adjust(**voice, statistics=FLUTE).tuning_factor == pytest.approx(0.31, abs=0.011)


def test_rms_energy_lies_as_far_from_the_loudness_as_that_of_the_instruments_notes():
    level = Spread(mean=-30.0, max=-10.0, min=-50.0, mean_max=-15.0, mean_min=-45.0, std=5.0)
    measured = replace(FLUTE, loudness_note=level, power_note=replace(level, mean=-26.0))
    loudness = np.array([-60.0, -30.0, -12.5])
    np.testing.assert_allclose(20 * np.log10(rms_from_loudness(loudness, measured)), loudness + 4.0)
    np.testing.assert_allclose(20 * np.log10(rms_from_loudness(loudness, FLUTE)), loudness)


def test_pitch_is_held_below_midi_110():
    adjusted = adjust(**melody(), statistics=FLUTE, options=AdjustOptions(octaves=8))
    assert adjusted.f0_hz.max() == pytest.approx(4698.6, abs=0.1)


def test_the_input_is_left_as_it_was():
    voice = melody()
    before = {name: feature.copy() for name, feature in voice.items()}
    adjust(**voice, statistics=FLUTE, options=AdjustOptions(autotune=1.0))
    for name, feature in voice.items():
        np.testing.assert_array_equal(feature, before[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"f0_hz": np.ones(999)}, "one shape"),
        ({name: np.ones((1, 1000)) for name in ("f0_hz", "loudness_db", "f0_confidence")}, "one shape"),
        ({name: np.ones(0) for name in ("f0_hz", "loudness_db", "f0_confidence")}, "no frames"),
        ({"f0_hz": np.full(1000, np.nan)}, "f0_hz .* not finite"),
    ],
)
def test_bad_features_are_refused_by_name(change, message):
    with pytest.raises(ValueError, match=message):
        adjust(**{**melody(), **change}, statistics=FLUTE)
