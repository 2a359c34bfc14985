"""What goes to a cluster is the pipeline that runs on one machine, whole, and reaches the service it is meant for."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.oauth2.credentials import Credentials
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_entrypoint_utils
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.utils import import_utils

import kubeflow_runner
from common.errors import UserError
from pipeline.cluster import submission
from pipeline.cluster.compile import Job, compile_job, make_pipeline
from pipeline.cluster.container import ACCELERATOR
from pipeline.configuration.loading import load
from pipeline.pipeline import create_pipeline
from tests.pipeline.cluster.cloud import Cloud, cloud

JOB = Job(
    "gs://bucket/recordings/violin", "gs://bucket/root", "registry/swara:1", "span-{SPAN}/*", "registry/swara:gpu"
)
PATHS = {"input_base", "destination", "custom_config", "input_config"}  # which may differ between machine and cluster
BEAM_STEPS = ("RecordingExampleGen", "StatisticsGen", "Transform", "Evaluator")
Edges = dict[str, set[str]]


def on_one_machine(tmp_path: Path, settings: list[str]) -> Pipeline:
    (tmp_path / "recordings").mkdir()
    return create_pipeline(
        load("violin", settings),
        recordings=str(tmp_path / "recordings"),
        pipeline_root=str(tmp_path / "root"),
        push_destination=str(tmp_path / "pushed"),
        checkpoint_root=str(tmp_path / "checkpoints"),
        metadata=sqlite_metadata_connection_config(str(tmp_path / "metadata.sqlite")),
    )


def local_edges(made: Pipeline) -> tuple[Edges, Edges]:
    """By node: the nodes before it, and its inputs with the node and output that each comes from."""
    nodes = [node.pipeline_node for node in Compiler().compile(made).nodes]
    before = {node.node_info.id: set(node.upstream_nodes) for node in nodes}
    inputs = {
        node.node_info.id: {
            f"{name}={channel.producer_node_query.id}.{channel.output_key}"
            for name, of in node.inputs.inputs.items()
            for channel in of.channels
            if channel.producer_node_query.id
        }
        for node in nodes
    }
    return before, inputs


def whole(task: str) -> str:
    """On a cluster, the search for the last blessed model takes two steps."""
    return task.removesuffix("-model-resolver").removesuffix("-model-blessing-resolver")


def cluster_edges(spec: dict[str, Any]) -> tuple[Edges, Edges]:
    before: Edges = {}
    inputs: Edges = {}
    for name, task in spec["root"]["dag"]["tasks"].items():
        before.setdefault(whole(name), set()).update(map(whole, task.get("dependentTasks", [])))
        found = inputs.setdefault(whole(name), set())
        for key, artifact in task.get("inputs", {}).get("artifacts", {}).items():
            source = artifact["taskOutputArtifact"]
            if whole(source["producerTask"]) != whole(name):
                found.add(f"{key}={whole(source['producerTask'])}.{source['outputArtifactKey']}")
    return before, inputs


@pytest.mark.parametrize("settings", [[], ["tuner.enabled=true", "trainer.warm_start=true", "model=gru"]])
def test_both_runners_run_the_identical_component_graph(tmp_path: Path, settings: list[str]):
    local = on_one_machine(tmp_path, settings)
    before, inputs = local_edges(local)
    cluster_before, cluster_inputs = cluster_edges(compile_job(load("violin", settings), JOB)["pipelineSpec"])
    assert cluster_before == before
    resolvers = {"LastBlessedModel", "LastAcceptedData"}
    assert {name: of for name, of in cluster_inputs.items() if name not in resolvers} == {
        name: of for name, of in inputs.items() if name not in resolvers
    }


def test_both_runners_give_every_component_the_same_settings(tmp_path: Path):
    local = on_one_machine(tmp_path, [])
    cluster = make_pipeline(load("violin"), JOB)

    def settings(made: Pipeline) -> dict[str, Any]:
        return {
            one.id: (type(one), {key: str(of) for key, of in one.exec_properties.items() if key not in PATHS})
            for one in made.components
        }

    assert settings(cluster) == settings(local)


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    """Compiled with machines, accelerators and Flink."""
    settings = [
        *("tuner.enabled=true", "beam.runner=flink", "beam.flink_master=flink:8081"),
        "cluster.trainer={cpus: 8, memory_gigabytes: 30, accelerator: NVIDIA_TESLA_T4, accelerators: 1}",
        "cluster.tuner={cpus: 4}",
    ]
    return compile_job(load("violin", settings), JOB)


def containers(spec: dict[str, Any]) -> dict[str, Any]:
    executors = spec["pipelineSpec"]["deploymentSpec"]["executors"]
    return {label.removesuffix("_executor"): of["container"] for label, of in executors.items() if "container" in of}


def test_the_spec_is_a_pipeline_job_of_schema_2_1_named_after_its_instrument(spec: dict[str, Any]):
    json_format.ParseDict(spec, pipeline_spec_pb2.PipelineJob())
    parsed = json_format.ParseDict(spec["pipelineSpec"], pipeline_spec_pb2.PipelineSpec())
    assert (parsed.schema_version, parsed.pipeline_info.name, spec["displayName"]) == ("2.1.0", "violin", "violin")
    for task in parsed.root.dag.tasks.values():
        component = parsed.components[task.component_ref.name]
        assert component.executor_label in spec["pipelineSpec"]["deploymentSpec"]["executors"]


def test_recordings_and_destination_are_parameters_of_a_run(spec: dict[str, Any]):
    values = {"recordings": JOB.recordings, "push_destination": "gs://bucket/root/pushed"}
    assert spec["runtimeConfig"] == {"gcsOutputDirectory": "gs://bucket/root", "parameterValues": values}
    parameters = spec["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
    assert {name: of["defaultValue"] for name, of in parameters.items()} == values
    tasks = spec["pipelineSpec"]["root"]["dag"]["tasks"]
    for task, key, name in (
        ("RecordingExampleGen", "input_base", "recordings"),
        ("BundlePusher", "destination", "push_destination"),
    ):
        assert tasks[task]["inputs"]["parameters"][key] == {"componentInputParameter": name}


def test_spans_are_resolved_by_the_projects_own_driver_when_it_runs(spec: dict[str, Any]):
    inputs = spec["pipelineSpec"]["root"]["dag"]["tasks"]["RecordingExampleGen"]["inputs"]["parameters"]
    assert "span-{SPAN}/*" in inputs["input_config"]["runtimeValue"]["constant"]
    hook = containers(spec)["RecordingExampleGen"]["lifecycle"]["preCacheCheck"]
    assert hook["command"] == ["python", "-m", "pipeline.cluster.driver"]
    assert hook["args"][:2] == ["--json_serialized_invocation_args", "{{$}}"]


def test_machines_accelerators_and_images_are_those_of_the_configuration(spec: dict[str, Any]):
    made = containers(spec)
    assert made["Trainer"]["resources"] == {
        "cpuLimit": 8.0,
        "memoryLimit": 30.0,
        "accelerator": {"type": "NVIDIA_TESLA_T4", "count": "1"},
    }
    assert made["SizeTuner"]["resources"] == {"cpuLimit": 4.0}
    assert {name for name, of in made.items() if of["image"] == "registry/swara:gpu"} == {"Trainer"}
    assert {of["image"] for name, of in made.items() if name != "Trainer"} == {"registry/swara:1"}
    assert made["Trainer"]["env"] == [{"name": ACCELERATOR, "value": "NVIDIA_TESLA_T4"}]
    assert not [name for name, of in made.items() if name != "Trainer" and of.get("env")]


def test_every_beam_step_gets_the_engines_arguments_and_the_image_for_its_workers(spec: dict[str, Any]):
    for step in BEAM_STEPS:
        arguments = containers(spec)[step]["args"]
        assert {"--runner=FlinkRunner", "--flink_master=flink:8081", "--environment_config=registry/swara:1"} <= set(
            arguments
        )
        assert not [one for one in arguments if one.startswith("--setup_file")]


def test_a_container_finds_the_class_of_every_artifact_and_resolvers_query_it(spec: dict[str, Any]):
    classes = {}
    for component in spec["pipelineSpec"]["components"].values():
        for name, of in component.get("outputDefinitions", {}).get("artifacts", {}).items():
            schema = json_format.ParseDict(of["artifactType"], pipeline_spec_pb2.ArtifactTypeSchema())
            path = kubeflow_v2_entrypoint_utils._retrieve_class_path(schema)
            classes[name] = import_utils.import_class_by_path(path).__name__
    assert classes["accepted_data"] == "AcceptedData"
    assert classes["bundle"] == classes["model"] == "Model"
    queries = spec["pipelineSpec"]["deploymentSpec"]["executors"]["LastAcceptedData_executor"]["resolver"]
    query = queries["outputArtifactQueries"]["accepted_data"]["filter"]
    assert query == 'schema_title="components.AcceptedData" AND state=LIVE'


def test_every_step_is_started_by_the_projects_own_program(spec: dict[str, Any]):
    assert {tuple(of["command"]) for of in containers(spec).values()} == {
        ("python", "-m", "pipeline.cluster.container")
    }


def test_compiling_twice_gives_the_same_bytes(tmp_path: Path):
    common = ["compile", "--instrument", "violin", "--pipeline-root", "gs://bucket/root", "--image", "i"]
    for name in ("a", "b"):
        assert kubeflow_runner.main([*common, "--output", str(tmp_path / "new" / name)]) == 0
    assert (tmp_path / "new" / "a").read_bytes() == (tmp_path / "new" / "b").read_bytes()


def test_a_name_that_a_cluster_does_not_take_is_one_clear_error():
    config = load("violin")
    named = config.model_copy(update={"instrument": config.instrument.model_copy(update={"name": "my_violin"})})
    with pytest.raises(UserError, match=r"instrument\.name 'my_violin': .* a-z, 0-9 and - only"):
        compile_job(named, JOB)


@pytest.mark.parametrize("uri", ["s3://bucket/root", "minio://bucket/root", "file:///mnt/root", "out/root"])
@pytest.mark.parametrize(("argument", "of_job"), [("--pipeline-root", "pipeline_root"), ("--recordings", "recordings")])
def test_a_uri_that_no_container_reaches_is_one_clear_error(argument: str, of_job: str, uri: str):
    with pytest.raises(UserError, match=f"{argument} {uri}: .* give a gs:// URI, or the whole path of a folder"):
        compile_job(load("violin"), dataclasses.replace(JOB, **{of_job: uri}))


@pytest.mark.parametrize("argument", ["--pipeline-root", "--image", "--gpu-image", "--recordings"])
def test_what_a_shell_made_of_a_variable_that_is_not_set_is_refused(argument: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        submit("--project", "p", "--region", "us-east1", "--dry-run", argument, "")
    assert f"argument {argument}: is empty" in capsys.readouterr().err


def test_an_accelerator_without_an_image_that_can_use_it_is_one_clear_error():
    without = dataclasses.replace(JOB, gpu_image=None)
    with pytest.raises(UserError, match=r"accelerator for Trainer: .* --gpu-image"):
        compile_job(load("violin", ["cluster.trainer.accelerator=NVIDIA_TESLA_T4"]), without)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud() as here:
        monkeypatch.setattr("google.auth.default", lambda *_, **__: (Credentials("secret"), "project"))
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", here.url)
        monkeypatch.setenv("HOME", str(tmp_path))
        yield here


def submit(*arguments: str, root: str = "gs://bucket/root") -> int:
    return kubeflow_runner.main(
        ["submit", "--instrument", "violin", "--pipeline-root", root, "--image", "i", *arguments]
    )


def shown(capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """URL and body that a dry run prints."""
    first, _, body = capsys.readouterr().out.partition("\n")
    return first.removeprefix("POST "), json.loads(body)


def test_vertex_is_sent_what_a_dry_run_shows(service: Cloud, capsys: pytest.CaptureFixture[str]):
    target = ("--project", "project", "--region", "europe-west4", "--service-account", "runner@project.example")
    assert submit(*target, "--endpoint", service.url, "--dry-run") == 0
    assert service.posted == []
    url, body = shown(capsys)
    assert submit(*target, "--endpoint", service.url) == 0
    [(path, query, headers, sent)] = service.posted
    assert url.startswith(f"{service.url}{path}?pipelineJobId=violin-")
    assert path == "/v1/projects/project/locations/europe-west4/pipelineJobs"
    assert query["pipelineJobId"][0].startswith("violin-")
    assert headers["authorization"] == "Bearer secret"
    assert {key: sent[key] for key in ("displayName", "serviceAccount", "pipelineSpec")} == {
        key: body[key] for key in ("displayName", "serviceAccount", "pipelineSpec")
    }
    assert sent["runtimeConfig"]["gcsOutputDirectory"] == body["runtimeConfig"]["gcsOutputDirectory"]
    assert sent["runtimeConfig"]["parameterValues"] == body["runtimeConfig"]["parameterValues"]
    assert "pipelineJobs/1" in capsys.readouterr().out


def test_kubeflow_pipelines_is_sent_what_a_dry_run_shows(
    service: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "token").write_text("secret\n")
    target = ("--endpoint", service.url, "--token-file", str(tmp_path / "token"))
    assert submit(*target, "--dry-run", root="/mnt/root") == 0
    assert service.posted == []
    url, body = shown(capsys)
    assert submit(*target, root="/mnt/root") == 0
    [(path, _, headers, sent)] = service.posted
    assert url == f"{service.url}{path}"
    assert headers["authorization"].endswith("secret")
    assert (sent["experiment_id"], sent["runtime_config"]) == ("e1", body["runtime_config"])
    spec = sent["pipeline_spec"].get("pipeline_spec", sent["pipeline_spec"])
    assert spec["root"]["dag"]["tasks"].keys() == body["pipeline_spec"]["root"]["dag"]["tasks"].keys()
    assert f"{service.url}/#/runs/details/r1" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "root", "message"),
    [
        (("--project", "p", "--region", "us-east1"), "gs://bucket/root", "not on my cluster"),
        ((), "gs://bucket/root", "not on my cluster"),
        (("--project", "p", "--region", "moon"), "gs://bucket/root", "--region moon: Unsupported region"),
        (("--project", "p", "--region", "us-east1"), "/mnt/root", "Vertex keeps artifacts in Cloud Storage only"),
    ],
)
def test_a_service_that_does_not_accept_the_run_is_one_clear_error(
    service: Cloud, target: tuple[str, ...], root: str, message: str, capsys: pytest.CaptureFixture[str]
):
    service.refuses = 403
    assert submit(*target, "--endpoint", service.url, root=root) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Started before it: none" in error


VERTEX = ("--project", "p", "--region", "us-east1")


@pytest.mark.parametrize("target", [VERTEX, ()])
@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"{}", b'{"name": "violin', b"", b"[1]", b'{"error": "no"}'])
def test_a_response_that_starts_no_run_is_one_clear_error(
    service: Cloud, target: tuple[str, ...], body: bytes, capsys: pytest.CaptureFixture[str]
):
    service.body = body
    assert submit(*target, "--endpoint", service.url) == 2
    error = capsys.readouterr().err
    assert f"error: violin: {service.url}" in error
    assert "its response is not that of a service that started a run" in error


@pytest.mark.parametrize("target", [VERTEX, ()])
def test_a_service_that_never_responds_is_not_waited_for(
    service: Cloud, target: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(submission, "RESPONSE_SECONDS", 3.0)
    service.silent = threading.Event()
    assert submit(*target, "--endpoint", service.url) == 2
    assert "no response came within 3 s" in capsys.readouterr().err


def test_a_vertex_that_cannot_be_reached_is_one_clear_error(service: Cloud, capsys: pytest.CaptureFixture[str]):
    target = ("--project", "p", "--region", "us-east1", "--endpoint", "http://127.0.0.1:9")
    assert submit(*target) == 2
    assert "http://127.0.0.1:9" in capsys.readouterr().err
