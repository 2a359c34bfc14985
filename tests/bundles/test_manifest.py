import copy
import hashlib
import json
from datetime import timedelta

import numpy as np
import pytest

from bundles import weights as packing
from bundles.manifest import InvalidBundle, check_files, check_schema, content_hash, download, load
from bundles.seal import seal
from data.features.statistics import DatasetStatistics
from pipeline.configuration.loading import load as load_config
from tests.bundles.small_bundle import THEN, small_dataset, write_small_bundle


@pytest.fixture
def bundle(tmp_path):
    return tmp_path / "bundle"


def test_a_written_bundle_follows_the_schema_and_lists_its_files(bundle):
    written = write_small_bundle(bundle)
    assert load(bundle) == written
    check_files(bundle, written)
    assert [file["path"] for file in written["files"]] == [
        "README.md",
        "controls/model.json",
        "controls/weights.bin",
        "full/model.json",
        "full/weights.bin",
        "reverb.bin",
    ]


def test_the_manifest_holds_what_a_page_needs(bundle):
    manifest, config = write_small_bundle(bundle), load_config("violin")
    assert manifest["instrument"] == config.instrument.model_dump(mode="json")
    assert manifest["audio"]["sample_rate"] == 48000
    assert manifest["audio"]["hop"] == 192
    assert manifest["audio"]["loudness"]["fft_size"] == 1536
    assert manifest["graphs"]["full"] == {
        "model": "full/model.json",
        "weights": "full/weights.bin",
        "inputs": [{"name": "f0_hz", "dtype": "float32", "shape": [1, None, 1]}],
        "outputs": [{"name": "audio", "dtype": "float32", "shape": [1, None, 1]}],
        "dynamic": False,
    }
    assert manifest["configuration"] == json.loads(config.to_json())
    assert manifest["reverb"] == {
        "file": "reverb.bin",
        "taps": 4,
        "trained_taps": 4,
        "sample_rate": 48000,
        "dtype": "float16",
        "normalise": False,
        "add_dry": True,
    }
    assert DatasetStatistics.from_json(manifest["statistics"]).to_json() == small_dataset().statistics.to_json()


def test_the_configuration_hash_is_that_of_the_canonical_configuration(bundle):
    manifest = write_small_bundle(bundle)
    canonical = json.dumps(manifest["configuration"], sort_keys=True)
    assert manifest["configuration_hash"] == hashlib.sha256(canonical.encode()).hexdigest()


def test_every_tensor_of_the_network_lies_where_the_manifest_says(bundle):
    manifest = write_small_bundle(bundle, gain=0.375)
    [tensor] = manifest["network"]["tensors"]
    assert tensor["dtype"] == "float16"
    stored = (bundle / tensor["file"]).read_bytes()
    value = np.frombuffer(stored, "<f2", int(np.prod(tensor["shape"])), tensor["offset"])
    assert value.tolist() == [0.375]
    model = json.loads((bundle / "controls/model.json").read_text())
    assert tensor["name"] in packing.read(bundle / "controls", model["weightsManifest"])


def test_the_download_of_the_controls_path_is_manifest_graph_weights_and_reverb(bundle):
    manifest = write_small_bundle(bundle)
    needed = ("manifest.json", "controls/model.json", "controls/weights.bin", "reverb.bin")
    assert download(manifest, ["controls"])["bytes"] == sum((bundle / name).stat().st_size for name in needed)
    assert download(manifest, ["controls"])["gzip_bytes"] < download(manifest, ["controls"])["bytes"]


def test_the_content_hash_depends_on_content_and_not_on_when_or_how_long(tmp_path):
    first = content_hash(write_small_bundle(tmp_path / "a"))
    assert content_hash(write_small_bundle(tmp_path / "b", seconds=77.0, now=THEN + timedelta(days=9))) == first
    assert content_hash(write_small_bundle(tmp_path / "c", gain=0.75)) != first
    assert content_hash(write_small_bundle(tmp_path / "d", instrument={"title": "Fiddle"})) != first


def test_metrics_change_manifest_and_card_but_not_the_content_hash(bundle):
    before = write_small_bundle(bundle)
    after = seal(bundle, {**before, "metrics": {"f0_error_cents": 7.5}})
    check_files(bundle, load(bundle))
    assert content_hash(after) == content_hash(before)
    assert "| Median f0 error of the generated audio | 7.5 cents |" in (bundle / "README.md").read_text()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format_version"], 2, "format_version: 1 was expected"),
        (["instrument", "name"], "../etc", "instrument/name: '../etc' does not match"),
        (["files", 0, "path"], "../../secret", "files/0/path: '../../secret' does not match"),
        (["reverb", "file"], "/etc/passwd", "reverb: "),
        (["precision"], "float32", "precision: 'float32' is not one of"),
        (["audio", "hop"], 0, "audio/hop: 0 is less than the minimum of 1"),
        (["network", "tensors"], [], "network/tensors: "),
        (["surprise"], 1, "Additional properties are not allowed"),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused_with_the_field(bundle, path, value, message):
    manifest = copy.deepcopy(write_small_bundle(bundle))
    *parents, last = path
    part = manifest
    for key in parents:
        part = part[key]
    part[last] = value
    with pytest.raises(InvalidBundle) as error:
        check_schema(manifest)
    assert message in str(error.value)


def test_every_required_section_is_required(bundle):
    manifest = write_small_bundle(bundle)
    for section in set(manifest) - {"metrics"}:
        without = {key: value for key, value in manifest.items() if key != section}
        with pytest.raises(InvalidBundle, match=f"'{section}' is a required property"):
            check_schema(without)


def test_a_folder_without_a_readable_manifest_is_no_bundle(bundle, tmp_path):
    with pytest.raises(InvalidBundle, match="is not a bundle"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InvalidBundle, match="not JSON"):
        load(tmp_path)


def test_figures_that_json_does_not_know_become_null(bundle):
    manifest = write_small_bundle(bundle, seconds=float("nan"))
    assert manifest["training"]["seconds"] is None
    assert load(bundle) == manifest


def test_a_model_full_of_nan_still_becomes_a_bundle_for_the_gates_to_refuse(bundle):
    manifest = write_small_bundle(bundle, gain=float("nan"))
    check_files(bundle, load(bundle))
    [tensor] = manifest["network"]["tensors"]
    assert np.isnan(np.frombuffer((bundle / tensor["file"]).read_bytes(), "<f2", 1, tensor["offset"])).all()


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        ("[" * 100_000, "not JSON"),
        ('{"a":' * 500 + "1" + "}" * 500, "a/a/a/.*levels deep"),
        ('{"statistics": {"pitch": {"mean": NaN}}}', "statistics/pitch/mean: is not finite"),
        ('{"network": {"tensors": [{"scale": 1e999}]}}', "network/tensors/0/scale: is not finite"),
        ('{"a": -Infinity}', "a: is not finite"),
        ("\ufeff{}", "is a required property"),
        ("", "not JSON"),
        ("[]", "is not of type"),
        ("3", "is not of type"),
    ],
    ids=range(9),
)
def test_a_manifest_that_is_none_is_refused_in_one_line(bundle, stored: str, what: str):
    bundle.mkdir()
    (bundle / "manifest.json").write_text(stored, encoding="utf-8")
    with pytest.raises(InvalidBundle, match=what) as refusal:
        load(bundle)
    assert len(str(refusal.value)) < 600
    assert "\n" not in str(refusal.value)


def test_files_that_are_larger_than_listed_are_not_read(bundle):
    written = write_small_bundle(bundle)
    with (bundle / "reverb.bin").open("r+b") as file:
        file.truncate(2**40)  # a hole: it takes no space on the disk, and would take all of the memory
    with pytest.raises(InvalidBundle, match=r"reverb\.bin: its bytes are not those .* they are 1099511627776, not 8"):
        check_files(bundle, written)
    with (bundle / "manifest.json").open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(InvalidBundle, match=r"manifest\.json: has 1,099,511,627,776 bytes"):
        load(bundle)
