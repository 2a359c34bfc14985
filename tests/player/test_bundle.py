"""A bundle read back plays its instrument, and a bundle that does not match its manifest is refused by name."""

import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bundles.manifest import dumps
from bundles.publish import publish
from bundles.seal import seal
from common.errors import UserError
from models.instrument import Instrument
from models.saved_model.precision import round_weights
from pipeline.configuration.loading import load as load_config
from player.bundle import load
from tests.bundles.test_publish import tamper
from tests.player.playable_bundle import write_playable_bundle

SMALL = {
    "cnn": ["model=cnn", "model.decoder.channels=8", "model.decoder.layers=3", "model.processors.reverb.seconds=0.25"],
    "gru": [
        "model=gru",
        "model.decoder.units=8",
        "model.decoder.stack_units=8",
        "model.processors.reverb.seconds=0.25",
    ],
}
THEN = datetime(2025, 3, 1, 12, tzinfo=timezone.utc)

Write = Callable[..., tuple[Path, Instrument]]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Writes a bundle of a small instrument with random weights and an audible reverb."""

    def write(*overrides: str, model: str = "cnn") -> tuple[Path, Instrument]:
        config = load_config("violin", [*SMALL[model], *overrides])
        instrument, random = Instrument(config.model, config.audio), np.random.default_rng(0)
        weights = {name: value + random.normal(0, 0.05, value.shape) for name, value in instrument.weights().items()}
        if "reverb/ir" in weights:
            weights["reverb/ir"] *= np.exp(-np.arange(len(weights["reverb/ir"])) / 300.0)
        if "reverb/gain" in weights:
            weights["reverb/gain"] += 4.0
        instrument.set_weights(weights)
        write_playable_bundle(tmp_path / "bundle", instrument, config)
        return tmp_path / "bundle", instrument

    return write


@pytest.mark.parametrize("model", ["cnn", "gru"])
@pytest.mark.parametrize("precision", ["float16", "uint8"])
def test_the_network_holds_exactly_the_weights_that_ship(written: Write, model: str, precision: str):
    folder, instrument = written(f"model.precision={precision}", model=model)
    loaded, shipped = load(folder).tensors, round_weights(instrument).weights()
    assert loaded.keys() == {name for name in shipped if name.startswith("decoder/")}
    for name in loaded:
        np.testing.assert_array_equal(loaded[name], shipped[name], err_msg=name)


@pytest.mark.parametrize("reverb", ["reverb_free", "reverb_exponential", "reverb_filtered_noise", "reverb_early_late"])
def test_its_room_is_the_trained_one_whatever_kind_was_trained(written: Write, reverb: str):
    folder, instrument = written(f"model.processors.reverb.type={reverb}")
    trained, taps = instrument.graph.reverb.ir().numpy(), load(folder).impulse_response
    assert np.square(taps).sum() > 1e-4
    shipped = np.pad(taps, (0, len(trained) - len(taps)))
    assert np.square(shipped - trained).sum() < 1e-6 * np.square(trained).sum()


def test_an_instrument_without_a_room_has_no_taps(tmp_path: Path):
    config = load_config("violin", SMALL["cnn"])
    dry = config.model.model_copy(update={"processors": config.model.processors[:-1]})
    write_playable_bundle(tmp_path, Instrument(dry, config.audio), config)
    assert not len(load(tmp_path).impulse_response)


def test_the_served_version_is_found_by_the_instruments_name(written: Write, tmp_path: Path):
    published = publish(written()[0], tmp_path / "pushed", THEN)
    assert load(tmp_path / "pushed" / "violin").folder == published.folder
    assert load(published.folder).manifest == load(tmp_path / "bundle").manifest


def test_a_published_version_that_was_changed_is_refused(written: Write, tmp_path: Path):
    published = publish(written()[0], tmp_path / "pushed", THEN)
    tamper(published.folder)
    with pytest.raises(UserError, match=f"{published.version}/manifest.json: was changed after it was published"):
        load(published.folder)
    with pytest.raises(UserError, match="neither a bundle"):
        load(tmp_path / "pushed" / "violin")


def _cut_weights(folder: Path) -> str:
    path = folder / "controls" / "weights.bin"
    path.write_bytes(path.read_bytes()[:-2])
    return "controls/weights.bin"


def _flip_a_bit(folder: Path) -> str:
    path = folder / "reverb.bin"
    stored = bytearray(path.read_bytes())
    stored[40] ^= 1
    path.write_bytes(stored)
    return "reverb.bin"


def _lose_a_file(folder: Path) -> str:
    (folder / "full" / "model.json").unlink()
    return "full/model.json"


def _spoil_the_manifest(folder: Path) -> str:
    (folder / "manifest.json").write_text('{"format": "swara')
    return "manifest.json"


def _come_from_the_future(folder: Path) -> str:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(dumps({**manifest, "format_version": 99}))
    return "format_version"


def _describe_another_network(folder: Path) -> str:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["network"]["tensors"].pop()
    (folder / "manifest.json").write_bytes(dumps(manifest))
    return "weights of another instrument"


@pytest.mark.parametrize(
    "damage",
    [_cut_weights, _flip_a_bit, _lose_a_file, _spoil_the_manifest, _come_from_the_future, _describe_another_network],
)
def test_a_damaged_bundle_is_refused_and_the_damage_named(written: Write, damage: Callable[[Path], str]):
    folder, _ = written()
    named = damage(folder)
    with pytest.raises(UserError, match=named) as refusal:
        load(folder)
    assert str(folder) in str(refusal.value)


def _spoil_a_weight(folder: Path, manifest: dict[str, Any]) -> str:
    weights = bytearray((folder / "controls" / "weights.bin").read_bytes())
    [entry] = [entry for entry in manifest["network"]["tensors"] if entry["name"] == "decoder/output/bias"]
    weights[entry["offset"] : entry["offset"] + 2] = np.array([np.nan], "<f2").tobytes()
    (folder / "controls" / "weights.bin").write_bytes(weights)
    return r"controls/weights\.bin: decoder/output/bias holds a value that is not finite"


def _spoil_a_tap(folder: Path, manifest: dict[str, Any]) -> str:
    taps = np.frombuffer((folder / "reverb.bin").read_bytes(), "<f2").copy()
    taps[3] = np.inf
    (folder / "reverb.bin").write_bytes(taps.tobytes())
    return r"reverb\.bin holds a value that is not finite"


def _describe_a_huge_tensor(folder: Path, manifest: dict[str, Any]) -> str:
    manifest["network"]["tensors"][0]["shape"] = [2**40, 2**40]
    return r"is \(1099511627776, 1099511627776\), not \("


def _scale_beyond_all_numbers(folder: Path, manifest: dict[str, Any]) -> str:
    manifest["network"]["tensors"][0].update(dtype="uint8", scale=1e308, min=1e308)
    return "holds a value that is not finite"


def _describe_a_huge_network(folder: Path, manifest: dict[str, Any]) -> str:
    manifest["network"]["channels"] = 10**9
    return "less than or equal to 512"


def _describe_a_huge_room(folder: Path, manifest: dict[str, Any]) -> str:
    manifest["reverb"]["taps"] = 10**9
    return "1000000000 taps are more than 4 s"


@pytest.mark.parametrize(
    "change",
    [
        *(_spoil_a_weight, _spoil_a_tap, _describe_a_huge_tensor, _scale_beyond_all_numbers, _describe_a_huge_network),
        _describe_a_huge_room,
    ],
)
def test_numbers_that_are_none_and_sizes_that_are_absurd_are_refused_by_name(
    written: Write, change: Callable[[Path, dict[str, Any]], str]
):
    folder, _ = written()
    manifest = json.loads((folder / "manifest.json").read_bytes())
    named = change(folder, manifest)
    seal(folder, manifest)  # whoever made the bundle meant it: every file has the hash that is stated
    with pytest.raises(UserError, match=named) as refusal:
        load(folder)
    assert str(folder) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_folder_without_a_bundle_is_one_clear_error(tmp_path: Path):
    with pytest.raises(UserError, match="neither a bundle"):
        load(tmp_path)
