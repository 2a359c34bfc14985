"""Extraction on a Flink cluster makes what it makes on this machine, whatever becomes of a task manager."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import tensorflow as tf
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from benchmarks.scaling import Extracted, analysed, extract, killed_at_work
from components.evaluator.results import Slice, read_metrics
from data.demo.generate import generate
from pipeline.stages.evaluator import make_evaluator
from pipeline.stages.last_blessed_model import make_last_blessed_model
from pipeline.store.folders import RunFolders
from pipeline.store.records import RunRecord, last_run
from scripts.flink.cluster import SETTINGS, Cluster
from tests.integration.conftest import ROOT, Workshop, imported, small_config

MISSING = [program for program in ("java", "mvn") if shutil.which(program) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"a Flink cluster needs {' and '.join(MISSING)} on the PATH")


MOMENTS = 3  # mean, deviation and variance, before the quantiles of a sketch
BEAM_STAGES = 4  # RecordingExampleGen, StatisticsGen, Transform, Evaluator


def finished(cluster: Cluster) -> int:
    """The number of jobs that the cluster has finished."""
    jobs = cluster.request("/jobs/overview")
    assert jobs is not None
    return [job["state"] for job in jobs["jobs"]].count("FINISHED")


Windows = dict[tuple[bytes, float], tf.train.Example]


def transformed(run: RunRecord) -> Windows:
    """The training set after Transform, by recording and second."""
    folder = run.artifacts["Transform"]["transformed_examples"].uri / "Split-train"
    records = tf.data.TFRecordDataset([str(path) for path in folder.iterdir()], compression_type="GZIP")
    windows = [tf.train.Example.FromString(record.numpy()) for record in records]
    keyed = {
        (of["recording_id"].bytes_list.value[0], of["start_seconds"].float_list.value[0]): window
        for window in windows
        for of in [window.features.feature]
    }
    assert len(keyed) == len(windows) > 0
    return keyed


def assert_same(there: Windows, here: Windows) -> None:
    """The same but for the last bits of sums, and ranks of quantiles, which runners take in another order."""
    assert there.keys() == here.keys()
    for key, window in there.items():
        features, others = window.features.feature, here[key].features.feature
        assert features.keys() == others.keys()
        for name, feature in features.items():
            assert feature.bytes_list == others[name].bytes_list
            assert feature.int64_list == others[name].int64_list
            values, expected = (np.array(of.float_list.value) for of in (feature, others[name]))
            exact = slice(MOMENTS if name.endswith("_statistics") else None)
            np.testing.assert_allclose(values[exact], expected[exact], rtol=1e-5, atol=1e-5, err_msg=name)
            np.testing.assert_allclose(values, expected, rtol=1e-5, atol=0.1, err_msg=name)  # dB, semitones


def judged_here(run: RunRecord, folder: Path) -> dict[Slice, dict[str, float]]:
    """The Evaluator's metrics, on this machine, of the model that a run made."""
    made = {node: {name: one.uri for name, one in of.items()} for node, of in run.artifacts.items()}
    model = imported(standard_artifacts.Model, made["Trainer"]["model"], "Model")
    split_names = {"split_names": '["train", "eval"]'}
    examples = imported(standard_artifacts.Examples, made["RecordingExampleGen"]["examples"], "Examples", **split_names)
    last_blessed = make_last_blessed_model()
    evaluator = make_evaluator(
        small_config(), examples.outputs["result"], model.outputs["result"], last_blessed.outputs["model"]
    )
    folder.mkdir()
    LocalDagRunner().run(
        Pipeline(
            pipeline_name="judged",
            pipeline_root=str(folder),
            components=[examples, model, last_blessed, evaluator],
            metadata_connection_config=sqlite_metadata_connection_config(str(folder / "metadata.sqlite")),
        )
    )
    return read_metrics(last_run(folder / "metadata.sqlite").artifacts["Evaluator"]["evaluation"].uri)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    generate(folder, minutes=6.0, seed=5, sample_rate=16000)
    (folder / "empty.wav").write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def here(recordings: Path, tmp_path_factory: pytest.TempPathFactory) -> Extracted:
    return extract(recordings, tmp_path_factory.mktemp("direct"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("flink"), task_managers=2) as started:
        yield started


@pytest.mark.soak(part="kills")
def test_a_cluster_makes_the_same_examples_byte_for_byte_and_both_task_managers_have_a_part(
    here: Extracted, cluster: Cluster, recordings: Path, tmp_path: Path
):
    there = extract(recordings, tmp_path, cluster.settings)
    assert there.examples == here.examples
    assert there.report == here.report
    assert all(analysed(cluster.log(name)) for name in cluster.task_managers)


@pytest.mark.soak(part="kills")
def test_a_flink_master_is_enough_where_beam_finds_a_job_server(
    here: Extracted, cluster: Cluster, recordings: Path, tmp_path: Path
):
    """Beam would fetch the job server of its own version; here it gets that of the cluster."""
    beams = [setting for setting in cluster.settings if "job_endpoint" not in setting]
    jar = f"beam.arguments=[--flink_job_server_jar={cluster.jar}]"
    there = extract(recordings, tmp_path, [*beams, f"beam.flink_master={cluster.flink_master}", jar])
    assert there.examples == here.examples


@pytest.mark.soak(part="kills")
def test_a_task_manager_killed_in_the_middle_of_the_extraction_loses_and_doubles_no_example(
    here: Extracted, cluster: Cluster, recordings: Path, tmp_path: Path
):
    with killed_at_work(cluster) as lost:
        there = extract(recordings, tmp_path, cluster.settings)
    assert lost
    assert set(lost) <= {name for log in map(cluster.log, cluster.task_managers) for name in analysed(log)}
    assert there.examples == here.examples
    assert there.report == here.report


@pytest.mark.soak(part="kills")
def test_every_beam_stage_of_a_run_works_on_a_cluster_and_finds_what_it_finds_here(
    cluster: Cluster, recordings: Path, tmp_path: Path
):
    before = finished(cluster)
    there = Workshop(ROOT, RunFolders(recordings, tmp_path / "there", "demo"))
    made = there.run("trainer.steps=40", *cluster.settings)
    assert made.code == 0, made.output
    assert finished(cluster) - before == BEAM_STAGES
    run = last_run(there.folders.metadata)
    found, judged = read_metrics(run.artifacts["Evaluator"]["evaluation"].uri), judged_here(run, tmp_path / "judged")
    assert judged.keys() == found.keys()
    for of_slice, metrics in found.items():
        assert judged[of_slice] == pytest.approx(metrics, rel=1e-5), of_slice

    here = Workshop(ROOT, RunFolders(recordings, tmp_path / "here", "demo"))
    assert here.run("trainer.steps=40").code == 0
    assert_same(transformed(run), transformed(last_run(here.folders.metadata)))


@pytest.mark.soak(part="kills")
def test_flink_listens_on_loopback_only_and_a_signal_ends_all_of_the_cluster(tmp_path: Path):
    command = [sys.executable, "-m", "scripts.flink.cluster", "--folder", str(tmp_path / "flink")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as started:
        deadline = time.monotonic() + 120.0
        while not (tmp_path / "flink" / SETTINGS).exists():
            assert started.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
        processes = psutil.Process(started.pid).children(recursive=True)
        flink = [process for process in processes if any("org.apache.flink" in word for word in process.cmdline())]
        connections = [one for process in flink for one in process.net_connections(kind="inet")]
        started.terminate()
        assert started.wait(30.0) == 0
    assert (len(processes), len(flink)) == (4, 3)
    listening = [one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN]
    assert len(listening) > 4
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
    assert not any(process.is_running() for process in processes)
