"""Loading resolves layers in order, and names the file and the key of whatever is wrong."""

import shutil
from pathlib import Path

import pytest

from common.errors import UserError
from pipeline.configuration.loading import CONFIGS, instruments, load


@pytest.mark.parametrize("name", instruments())
@pytest.mark.parametrize("model", ["cnn", "gru"])
def test_every_shipped_configuration_resolves_with_every_model(name: str, model: str):
    config = load(name, [f"model={model}"])
    assert config.instrument.name == name
    assert config.model.decoder.kind == model


@pytest.mark.parametrize(
    ("override", "where", "what"),
    [
        ("trainer.stepz=3", "--set trainer.stepz=3: trainer.stepz", "unknown key"),
        ("trainer.steps=many", "--set trainer.steps=many: trainer.steps", "integer"),
        ("trainer.steps=0", "--set trainer.steps=0: trainer.steps", "greater than 0"),
        ("trainer.steps='20'", "--set trainer.steps='20': trainer.steps", "integer"),
        ("audio.frame_rate=333", "--set audio.frame_rate=333: audio", "does not divide"),
        ("model.processors.noise.bands=1", "model.processors.noise.bands", "greater than or equal to 3"),
        ("model.processors.nose.bands=65", "model.processors has no element 'nose'", "harmonic, noise, dry, reverb"),
        ("model.decoder.kind=rnn", "model.decoder", "'cnn'"),
        ("model=huge", "--set model=huge: model", "known: cnn, gru"),
        ("steps", "--set steps", "a.b=value"),
        ("trainer.steps=[1", "--set trainer.steps=[1", "YAML"),
        ("model.processors.reverb.inputs=[wet]", "model", "input 'wet' is not the name of an entry above it"),
        ("model.processors.dry.inputs=[harmonic]", "model", "noise: nothing uses this entry"),
        ("instrument.name=other", "instrument.name", "name of its file"),
        ("instrument=5", "--set instrument=5: instrument", "dictionary"),
        ("examples.train_hop_seconds=.inf", "examples.train_hop_seconds", "finite"),
        ("model.processors.noise.initial_bias=.nan", "model.processors.noise.initial_bias", "finite"),
        ("loss.fft_sizes=[1022]", "loss.fft_sizes", "multiple of 4"),
        ("loss={mag_weight: 0.0, logmag_weight: 0.0}", "loss", "nothing to train on"),
    ],
)
def test_a_bad_override_names_where_and_what(override: str, where: str, what: str):
    with pytest.raises(UserError) as error:
        load("violin", [override])
    assert where in str(error.value)
    assert what in str(error.value)


def test_an_unknown_instrument_suggests_a_near_one_and_how_to_add_it():
    with pytest.raises(UserError, match=r"violn.*Did you mean 'violin'.*copy one"):
        load("violn")


@pytest.mark.parametrize("setting", ["report.voice=2020-13-45", "trainer.steps=0b_", "trainer.steps=!!bool x"])
def test_a_value_that_only_looks_like_a_date_or_a_number_is_one_clear_error(setting: str):
    with pytest.raises(UserError, match=r"^--set .*: the value .* is not readable as YAML$"):
        load("violin", [setting])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("trainer: {stepz: 3}", "configs/instruments/violin.yaml: trainer.stepz: unknown key"),
        ("trainer: {steps: -1}", "configs/instruments/violin.yaml: trainer.steps: should be greater than 0"),
        ("trainer: [", "configs/instruments/violin.yaml: not readable as YAML"),
        ("just words", "configs/instruments/violin.yaml: must hold settings"),
        ("report: {voice: 2020-13-45}", "configs/instruments/violin.yaml: not readable as YAML"),
        ("!!python/object/apply:os.getcwd []", "configs/instruments/violin.yaml: not readable as YAML"),
    ],
)
def test_a_bad_file_names_itself_and_the_key(tmp_path: Path, text: str, what: str):
    configs = tmp_path / "configs"
    shutil.copytree(CONFIGS, configs)
    (configs / "instruments" / "violin.yaml").write_text(text)
    with pytest.raises(UserError) as error:
        load("violin", configs=configs)
    assert what in str(error.value)


def test_later_layers_win_and_lists_are_addressed_by_name_or_index():
    config = load("violin", ["model=gru", "model.decoder.units=32", "model.processors.0.harmonics=20"])
    assert config.model.decoder.kind == "gru"
    assert config.model.decoder.units == 32
    assert config.model.processors[0].harmonics == 20


def test_retraining_starts_from_the_last_model_with_spans_before_the_newest_unless_an_instrument_is_set_otherwise(
    tmp_path: Path,
):
    plain, retrained = load("violin"), load("violin", retraining=True)
    assert (plain.trainer.warm_start, retrained.trainer.warm_start) == (False, True)
    assert retrained.examples.span_window > plain.examples.span_window
    shutil.copytree(CONFIGS, tmp_path / "configs")
    with (tmp_path / "configs" / "instruments" / "violin.yaml").open("a") as file:
        file.write("examples: {span_window: 9}\n")
    assert load("violin", configs=tmp_path / "configs", retraining=True).examples.span_window == 9
    assert load("violin", ["examples.span_window=2"], tmp_path / "configs", retraining=True).examples.span_window == 2
