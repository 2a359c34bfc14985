"""The player without TensorFlow plays what the trained model plays, in steps as in one piece."""

from pathlib import Path

import numpy as np
import pytest

from bundles.impulse_response import trim
from models.ddsp import filters
from models.instrument import Instrument
from models.saved_model.precision import round_weights
from pipeline.configuration.loading import load as load_config
from player.bundle import Bundle, load
from player.noise import WhiteNoise
from player.player import BLOCK_SECONDS, RELEASE_SECONDS, Player, play
from tests.player.playable_bundle import INPUTS, write_playable_bundle

KINDS = {
    "cnn at 48 kHz": ["model.processors.reverb.type=reverb_free"],
    "early taps and a late tail": [],
    "gru": [
        "audio.sample_rate=16000",
        "model=gru",
        "model.processors.reverb.type=reverb_free",
        "model.decoder.units=24",
        "model.decoder.stack_units=20",
    ],
    "held frames, RMS": [
        "audio.sample_rate=16000",
        "model.processors.harmonic.harmonics=60",
        "model.decoder.hold=4",
        "model.inputs=[loudness,rms]",
    ],
    "8 bits": ["audio.sample_rate=16000", "model.precision=uint8"],
}


def written(folder: Path, *overrides: str) -> tuple[Bundle, Instrument]:
    """A bundle of random weights with an audible reverb, and the instrument as it ships."""
    config = load_config("violin", list(overrides))
    instrument, random = Instrument(config.model, config.audio), np.random.default_rng(0)
    weights = {name: value + random.normal(0, 0.05, value.shape) for name, value in instrument.weights().items()}
    if "reverb/ir" in weights:
        weights["reverb/ir"] *= np.exp(-np.arange(len(weights["reverb/ir"])) / 300.0)
    instrument.set_weights(weights)
    write_playable_bundle(folder, instrument, config)
    return load(folder), round_weights(instrument)


def features(frames: int, frame_rate: int) -> dict[str, np.ndarray]:
    time = np.arange(frames) / frame_rate
    f0_hz = 300.0 * 2.0 ** (1.5 * np.sin(2.0 * time))
    loudness_db = -30 + 15 * np.sin(7 * time)
    return {"f0_hz": f0_hz.astype(np.float32), "loudness_db": loudness_db.astype(np.float32)}


def played(bundle: Bundle, given: dict[str, np.ndarray], seed: int = 0) -> np.ndarray:
    return np.concatenate(list(play(bundle, given, seed)))


def snr_db(expected: np.ndarray, made: np.ndarray) -> float:
    wanted, got = np.asarray(expected, np.float64), np.asarray(made, np.float64)
    return float(10 * np.log10(np.square(wanted).sum() / np.square(wanted - got).sum()))


def by_tensorflow(bundle: Bundle, instrument: Instrument, given: dict[str, np.ndarray], seed: int) -> np.ndarray:
    """The trained model's own sound [frames * hop], reverb included, from the same noise."""
    power, loudness = bundle.statistics.power_note, bundle.statistics.loudness_note
    assert power is not None
    sources = {
        "f0": 69 + 12 * np.log2(given["f0_hz"].astype(np.float64) / 440),
        "loudness": given["loudness_db"].astype(np.float64),
        "rms": given["loudness_db"].astype(np.float64) + power.mean - loudness.mean,
    }
    scaled = {f"{key}_scaled": (x - INPUTS[key]["mean"]) / INPUTS[key]["deviation"] for key, x in sources.items()}
    batch = {name: x[np.newaxis].astype(np.float32) for name, x in {"f0_hz": given["f0_hz"], **scaled}.items()}
    noise = WhiteNoise(seed).take(len(given["f0_hz"]) * instrument.audio.hop)[np.newaxis]
    dry = instrument.graph.get_dry(instrument.controls(batch), noise=noise)
    ir = trim(instrument.graph.reverb.ir().numpy()).copy()
    early = getattr(instrument.graph.reverb, "early_taps", len(ir))  # what ships as taps; a late tail does not
    ir[:early] = ir[:early].astype(np.float16)
    return np.asarray(dry + filters.convolve(dry, ir))[0]


@pytest.mark.parametrize("overrides", KINDS.values(), ids=KINDS)
def test_it_plays_what_the_trained_model_plays(overrides: list[str], tmp_path: Path):
    bundle, instrument = written(tmp_path / "bundle", *overrides)
    given = features(round(2.2 * BLOCK_SECONDS * bundle.audio.frame_rate), bundle.audio.frame_rate)
    sound, expected = played(bundle, given, seed=3), by_tensorflow(bundle, instrument, given, seed=3)
    end = round(RELEASE_SECONDS * bundle.audio.sample_rate) + bundle.audio.hop
    assert len(sound) == len(expected) + len(bundle.impulse_response) - 1
    # the last frame is held by the player, and cut by the model
    assert snr_db(expected[:-end], sound[: len(expected)][:-end]) > 80


@pytest.mark.parametrize("overrides", [KINDS["gru"], KINDS["held frames, RMS"]], ids=["gru", "held frames"])
@pytest.mark.parametrize("lengths", [[1] * 300, [7, 1, 90, 202], [300]])
def test_steps_of_any_length_give_the_same_sound(overrides: list[str], lengths: list[int], tmp_path: Path):
    bundle, _ = written(tmp_path / "bundle", *overrides)
    given, player = features(300, bundle.audio.frame_rate), Player(bundle, seed=3)
    parts, at = [], 0
    for length in lengths:
        part = slice(at, at + length)
        parts.append(player.step(given["f0_hz"][part], given["loudness_db"][part]))
        assert len(parts[-1]) == length * player.hop
        at += length
    stepped, whole = np.concatenate(parts)[player.latency :], played(bundle, given, seed=3)
    end = len(stepped) - round(RELEASE_SECONDS * bundle.audio.sample_rate)
    assert snr_db(whole[:end], stepped[:end]) > 100


def test_a_gain_of_zero_is_silence_and_the_room_rings_on(tmp_path: Path):
    bundle, _ = written(tmp_path / "bundle", *KINDS["cnn at 48 kHz"])
    player = Player(bundle)
    player.step(np.full(100, 440.0), np.full(100, -20.0))
    player.step(440.0, -20.0, gain=0.0)  # fades within a frame, and comes out late
    ringing = np.concatenate([player.step(np.full(100, 440.0), np.full(100, -20.0), np.zeros(100)), player.finish()])
    assert np.abs(ringing[player.latency : player.latency + 100]).max() > 0
    assert np.abs(ringing[player.latency + 2 * len(bundle.impulse_response) :][:1000]).max() < 1e-8


def test_a_sound_that_ends_in_the_middle_of_a_note_dies_away_without_a_click(tmp_path: Path):
    bundle, _ = written(tmp_path / "bundle")
    player_features = {"f0_hz": np.full(300, 440.0), "loudness_db": np.full(300, -20.0)}
    sound = played(bundle, player_features)[: 300 * bundle.audio.hop]
    assert np.abs(np.diff(sound[-64:])).max() < 2 * np.abs(np.diff(sound[-2000:-1000])).max()


def test_the_seed_decides_the_noise(tmp_path: Path):
    bundle, _ = written(tmp_path / "bundle")
    given = features(100, bundle.audio.frame_rate)
    np.testing.assert_array_equal(played(bundle, given, 1), played(bundle, given, 1))
    assert np.abs(played(bundle, given, 1) - played(bundle, given, 2)).max() > 0.0


@pytest.mark.parametrize(
    ("f0_hz", "loudness_db", "named"),
    [
        ([], [], "at least one frame"),
        ([440, 440], [-20], "all of one length"),
        ([np.nan], [-20], "f0_hz holds"),
    ],
)
def test_features_that_are_none_are_refused(f0_hz: list, loudness_db: list, named: str, tmp_path: Path):
    bundle, _ = written(tmp_path / "bundle")
    with pytest.raises(ValueError, match=named):
        Player(bundle).step(f0_hz, loudness_db)


def test_noise_in_parts_is_the_noise_of_a_xorshift():
    state, expected = (5 + 1) * 0x9E3779B1 & 0xFFFFFFFF | 1, []
    for _ in range(9000 + 8):
        for shift in (13, -17, 5):
            state ^= (state << shift if shift > 0 else state >> -shift) & 0xFFFFFFFF
        expected.append((state - 2**32 if state >= 2**31 else state) / 2**31)
    noise = WhiteNoise(5)
    made = np.concatenate([noise.take(count) for count in (1, 4095, 0, 4904)])
    np.testing.assert_array_equal(made, np.array(expected[8:], np.float32))
