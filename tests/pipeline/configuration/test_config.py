"""A configuration's derived values, what of it is published, and its hash."""

import pytest

from common.errors import UserError
from pipeline.configuration.loading import load


@pytest.mark.parametrize("rate", [16000, 32000, 48000])
def test_hop_and_windows_follow_from_the_rates(rate: int):
    audio = load("violin", [f"audio.sample_rate={rate}"]).audio
    assert audio.hop * 250 == rate
    assert audio.window_samples == 4 * rate
    assert audio.loudness_fft == rate * 0.032


def test_the_hash_changes_with_any_value_and_only_then():
    assert load("violin").hash() == load("violin", ["trainer.seed=0"]).hash()
    assert load("violin").hash() != load("violin", ["trainer.seed=1"]).hash()


def test_a_room_that_is_not_the_last_link_is_refused_before_anything_runs():
    chain = """[{name: harmonic, type: harmonic, harmonics: 9, envelope: window},
        {name: room, type: reverb_free, seconds: 0.1, inputs: [harmonic]},
        {name: noise, type: filtered_noise, bands: 9, initial_bias: -5.0},
        {name: sum, type: mix, inputs: [room, noise]}]"""
    with pytest.raises(UserError, match="room: an instrument that is played live has one reverb at most"):
        load("violin", [f"model.processors={chain}"])


@pytest.mark.parametrize(
    "setting",
    [
        "beam.arguments=[--service_account_email=me@private]",
        "beam.dataflow.project=private",
        "beam.job_endpoint=private:1",
        "cluster.trainer.accelerator=private",
        "publishing.keep_versions=3",
    ],
)
def test_where_things_run_and_how_much_is_kept_is_not_published_and_makes_no_new_version(setting: str):
    assert "private" not in load("violin", [setting]).to_json()
    assert load("violin", [setting]).hash() == load("violin").hash()


def test_the_path_of_a_voice_clip_is_not_published():
    assert "me.wav" not in load("violin", ["report.voice=/home/me/me.wav"]).to_json()
