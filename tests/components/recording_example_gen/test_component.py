"""The component in a real pipeline: examples and report are as planned, the cache holds, refusals come out whole."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ml_metadata import metadata_store
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from common.errors import UserError
from common.pitch import hz_to_midi
from components.recording_example_gen import component
from components.recording_example_gen.component import RecordingExampleGen
from data.check import check
from data.config import ExtractionConfig
from data.features.loudness import loudness_and_rms
from data.files.decode import Spool, decode
from data.ingest_report import IngestRefused, IngestReport
from data.windows.cutting import dynamics, register
from data.windows.originals import MOST_JUDGED, ORIGINAL_RATE, unpack
from tests.data.sounds import config, melody, write

pytestmark = pytest.mark.slow  # importing TFX takes longer than all of it

ROOT = Path(__file__).resolve().parents[3]
EXTRACTION = config("audio.sample_rate=16000", "examples.min_minutes=0.1", "audio.window_seconds=2.0")
FLOATS = {
    "audio": 32000,
    **dict.fromkeys(("f0_hz", "f0_confidence", "loudness_db", "rms_energy"), 500),
    **dict.fromkeys(("start_seconds", "mean_loudness_db", "median_f0_midi", "voiced_fraction", "mean_confidence"), 1),
}
TEXTS = {"recording", "recording_id", "span", "register", "dynamics"}


WITHOUT_FORKS = """
import multiprocessing, os, sys
from pathlib import Path
from tests.components.recording_example_gen.test_component import run
multiprocessing.set_start_method("spawn")
os.fork = os.forkpty = None
run(Path(sys.argv[1]), Path(sys.argv[2]), beam=["--direct_running_mode=multi_processing", "--direct_num_workers=2"])
"""


def run(
    recordings: Path,
    output: Path,
    extraction: ExtractionConfig = EXTRACTION,
    name: str = "instrument",
    beam: Sequence[str] = (),
) -> Path:
    """Runs a pipeline of the component alone. Returns the folder of its newest examples."""
    metadata = sqlite_metadata_connection_config(str(output / "metadata.sqlite"))
    pipeline = Pipeline(
        pipeline_name=name,
        pipeline_root=str(output),
        components=[RecordingExampleGen(str(recordings), extraction)],
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=["--runner=DirectRunner", *beam],
    )
    LocalDagRunner().run(pipeline)
    return newest(output)


def newest(output: Path) -> Path:
    return max((output / "RecordingExampleGen" / "examples").iterdir(), key=lambda folder: int(folder.name))


def examples(folder: Path, split: str) -> Iterator[tf.train.Example]:
    files = sorted(str(path) for path in (folder / f"Split-{split}").glob("data_tfrecord-*.gz"))
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP"):
        yield tf.train.Example.FromString(record.numpy())


def floats(example: tf.train.Example, name: str) -> np.ndarray:
    return np.array(example.features.feature[name].float_list.value, np.float32)


def text(example: tf.train.Example, name: str) -> str:
    [value] = example.features.feature[name].bytes_list.value
    return value.decode()


def records(folder: Path) -> set[tuple[str, str, bytes, bytes]]:
    """Everything but the names of the recordings."""
    return {
        (split, text(one, "recording_id"), floats(one, "audio").tobytes(), floats(one, "f0_hz").tobytes())
        for split in ("train", "eval")
        for one in examples(folder, split)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    base = tmp_path_factory.mktemp("recordings")
    write(base / "long.flac", melody(64.0, 22050, seed=1), 22050)
    write(base / "nested" / "भाई.wav", melody(7.0, 44100, seed=2), 44100)
    write(base / "copy.aiff", melody(7.0, 44100, seed=2), 44100)
    write(base / "note.wav", melody(1.0, seed=3))
    (base / "bad.mp3").write_bytes(b"")
    return base


@pytest.fixture(scope="module")
def output(folder, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("output")
    run(folder, output)
    return output


def test_every_example_holds_every_feature_at_its_length(output):
    for split in ("train", "eval"):
        for example in examples(newest(output), split):
            assert example.features.feature.keys() - {"original"} == FLOATS.keys() | TEXTS
            for name, length in FLOATS.items():
                values = floats(example, name)
                assert len(values) == length
                assert np.isfinite(values).all()
            assert (floats(example, "f0_hz") > 0).all()
            assert 0 <= floats(example, "voiced_fraction")[0] <= 1


def test_examples_are_those_that_the_report_and_check_tell(folder, output):
    report = IngestReport.read(newest(output))
    assert report == check(folder, EXTRACTION)
    assert {entry.recording: entry.verdict for entry in report.recordings} == {
        "bad.mp3": "set aside",
        "copy.aiff": "used",
        "long.flac": "used",
        "nested/भाई.wav": "duplicate",
        "note.wav": "used",
    }
    for split in ("train", "eval"):
        counted = Counter(text(example, "recording") for example in examples(newest(output), split))
        assert counted == {
            entry.recording: getattr(entry, f"{split}_windows")
            for entry in report.used
            if getattr(entry, f"{split}_windows")
        }
        assert counted


def test_an_example_is_the_recording_at_its_time(folder, output):
    with Spool() as spool:
        decode(folder / "long.flac", 16000, spool)
        loudness, rms = loudness_and_rms(spool.read, spool.samples, EXTRACTION.audio)
        for example in examples(newest(output), "train"):
            if text(example, "recording") != "long.flac":
                continue
            start = round(float(floats(example, "start_seconds")[0]) * 250)
            audio = floats(example, "audio")
            np.testing.assert_array_equal(audio, spool.read(start * 64, start * 64 + 32000))
            np.testing.assert_array_equal(floats(example, "loudness_db"), loudness[start : start + 500])
            np.testing.assert_array_equal(floats(example, "rms_energy"), rms[start : start + 500])


def test_eval_windows_that_are_judged_hold_the_original_and_no_others_do(folder, output):
    assert not any("original" in example.features.feature for example in examples(newest(output), "train"))
    held = [example for example in examples(newest(output), "eval") if "original" in example.features.feature]
    assert 0 < len(held) <= MOST_JUDGED
    with Spool() as spool:
        decode(folder / "long.flac", ORIGINAL_RATE, spool)
        for example in held:
            if text(example, "recording") == "long.flac":
                start = round(float(floats(example, "start_seconds")[0]) * ORIGINAL_RATE)
                original = unpack(example.features.feature["original"].bytes_list.value[0])
                np.testing.assert_allclose(original, spool.read(start, start + 2 * ORIGINAL_RATE), atol=2e-5)


def test_scalars_sum_up_the_frames(output):
    for example in examples(newest(output), "eval"):
        voiced = floats(example, "f0_confidence") > 0.5
        midi = float(floats(example, "median_f0_midi")[0])
        assert midi == pytest.approx(hz_to_midi(np.median(floats(example, "f0_hz")[voiced])), abs=1e-3)
        assert floats(example, "voiced_fraction")[0] == pytest.approx(voiced.mean())
        assert floats(example, "mean_loudness_db")[0] == pytest.approx(floats(example, "loudness_db").mean(), abs=1e-3)
        assert text(example, "register") == register(midi)
        assert text(example, "dynamics") == dynamics(float(floats(example, "mean_loudness_db")[0]))


def test_a_second_run_does_nothing_and_a_changed_recording_setting_or_source_does(tmp_path, monkeypatch):
    base, output = tmp_path / "in", tmp_path / "out"
    for seed in range(2):
        write(base / f"{seed}.wav", melody(4.0, seed=seed))
    monkeypatch.setattr(component, "source_fingerprint", lambda _: "as it was")
    first = run(base, output)
    changed = (first / "ingest_report.json").stat().st_mtime_ns
    assert run(base, output) == first
    assert (first / "ingest_report.json").stat().st_mtime_ns == changed
    after_setting = run(base, output, config("examples.min_minutes=0.05", "audio.window_seconds=2.0"))
    monkeypatch.setattr(component, "source_fingerprint", lambda _: "edited")
    after_edit = run(base, output)
    write(base / "0.wav", melody(4.0, seed=9))
    after_change = run(base, output)
    assert len({first, after_setting, after_edit, after_change}) == 4


def test_names_folders_and_containers_change_no_record(folder, output, tmp_path):
    write(tmp_path / "in" / "z" / "other.wav", melody(64.0, 22050, seed=1), 22050)
    write(tmp_path / "in" / "b.aiff", melody(1.0, seed=3))
    write(tmp_path / "in" / "a.flac", melody(7.0, 44100, seed=2), 44100)
    assert records(run(tmp_path / "in", tmp_path / "out")) == records(newest(output))


def test_workers_that_are_spawned_where_nothing_forks_make_the_same_records(folder, output, tmp_path):
    subprocess.run([sys.executable, "-c", WITHOUT_FORKS, str(folder), str(tmp_path)], cwd=ROOT, check=True)
    assert records(newest(tmp_path)) == records(newest(output))


def test_the_newest_span_is_taken_and_written_on_the_artifact(tmp_path):
    for span in (1, 2):
        for version in (1, 2):
            for part in range(2):
                path = tmp_path / "in" / f"span-{span}" / f"version-{version}" / "x" / f"{part}.wav"
                write(path, melody(5.0, seed=10 * span + 2 * version + part))
    report = IngestReport.read(run(tmp_path / "in", tmp_path / "out"))
    assert [entry.recording for entry in report.used] == [f"span-2/version-2/x/{part}.wav" for part in range(2)]
    store = metadata_store.MetadataStore(sqlite_metadata_connection_config(str(tmp_path / "out" / "metadata.sqlite")))
    [artifact] = store.get_artifacts_by_type("Examples")
    assert artifact.properties["span"].int_value == 2
    assert artifact.properties["version"].int_value == 2


def test_too_little_is_refused_as_it_is(folder, tmp_path):
    with pytest.raises(IngestRefused) as refused:
        run(folder, tmp_path, config("examples.min_minutes=30"))
    assert not refused.value.report.would_run
    assert "bad.mp3" in str(refused.value)


@pytest.mark.parametrize("overrides", [["examples.pitch.tracker=crepe", "examples.pitch.crepe_capacity=full"], []])
def test_mistakes_of_the_user_come_out_as_such(folder, tmp_path, overrides):
    if overrides:
        with pytest.raises(UserError, match="make crepe"):
            run(folder, tmp_path, config(*overrides))
    else:
        (tmp_path / "empty").mkdir()
        with pytest.raises(UserError, match="no recordings there"):
            run(tmp_path / "empty", tmp_path)


@pytest.mark.parametrize(("midi", "name"), [(60.0, "C4-B4"), (59.4, "C3-B3"), (59.6, "C4-B4"), (71.9, "C5-B5")])
def test_registers_are_octaves_by_name(midi, name):
    assert register(midi) == name


@pytest.mark.parametrize(("level", "name"), [(-25.0, "-30..-20 dB"), (-30.0, "-30..-20 dB"), (3.0, "0..10 dB")])
def test_dynamics_are_steps_of_ten_decibels(level, name):
    assert dynamics(level) == name
