"""Compiles an instrument's pipeline into a PipelineJob, which Vertex and Kubeflow Pipelines run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow
from tfx.orchestration.pipeline import Pipeline

from common.errors import UserError
from pipeline.cluster.container import ACCELERATOR, SCHEME
from pipeline.configuration.config import Config
from pipeline.configuration.resources import ResourcesConfig
from pipeline.pipeline import create_pipeline

RECORDINGS, DESTINATION = "recordings", "push_destination"  # runtime parameters
PIPELINE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,127}")
DRIVER = ("python", "-m", "pipeline.cluster.driver")
COMMAND = ("python", "-m", "pipeline.cluster.container")
GENERIC_TITLE = "tfx.Artifact"


@dataclass(frozen=True)
class Job:
    """What to run where.

    Attributes:
      recordings: folder or URI that the containers see.
      pipeline_root: folder or URI of all artifacts; `pushed/` and checkpoints lie below it.
      image: container image with the project.
      layout: of the recordings, a pattern of RecordingExampleGen.
      gpu_image: image of the steps that have an accelerator; None: the same.
    """

    recordings: str
    pipeline_root: str
    image: str
    layout: str
    gpu_image: str | None = None

    @property
    def destination(self) -> str:
        """Where bundles are published unless a run says otherwise."""
        return f"{self.pipeline_root.rstrip('/')}/pushed"


def compile_job(config: Config, job: Job) -> dict[str, Any]:
    """The PipelineJob of one instrument, schema 2.1, as JSON values.

    Raises:
      UserError: the instrument's name cannot be that of a pipeline on a cluster, its recordings or its root cannot be
        reached from there, or an accelerator would have no image that can use it.
    """
    made = make_pipeline(config, job)
    runner = kubeflow.KubeflowV2DagRunner(
        kubeflow.KubeflowV2DagRunnerConfig(
            display_name=config.instrument.name,
            default_image=_images(config, job),
            default_commands=list(COMMAND),
            # The 2.0 schema loses what the span driver found, and {SPAN} is never filled in.
            use_pipeline_spec_2_1=True,
        )
    )
    values = {RECORDINGS: job.recordings, DESTINATION: job.destination}
    compiled: dict[str, Any] = runner.run(made, parameter_values=values, write_out=False)
    _set_defaults(compiled["pipelineSpec"], values)
    _ask_for_own_types(compiled["pipelineSpec"])
    _use_own_driver(compiled["pipelineSpec"])
    _tell_of_accelerators(compiled["pipelineSpec"])
    return compiled


def make_pipeline(config: Config, job: Job) -> Pipeline:
    """The same pipeline as on one machine, with runtime parameters and machines.

    Raises:
      UserError: the instrument's name cannot be that of a pipeline on a cluster, or its recordings or its root cannot
        be reached from there.
    """
    name = config.instrument.name
    if not PIPELINE_NAME.fullmatch(name):
        raise UserError(
            f"instrument.name {name!r}: a pipeline on a cluster is named after its instrument, with a-z, 0-9 and - "
            "only: rename the instrument and its file in configs/instruments"
        )
    _check_place("--pipeline-root", job.pipeline_root)
    _check_place("--recordings", job.recordings)
    root = job.pipeline_root.rstrip("/")
    made = create_pipeline(
        config,
        recordings=RuntimeParameter(RECORDINGS, ptype=str, default=job.recordings),
        pipeline_root=root,
        push_destination=RuntimeParameter(DESTINATION, ptype=str, default=job.destination),
        checkpoint_root=f"{root}/checkpoints/{name}",
        layout=job.layout,
        image=job.image,
    )
    for component in made.components:
        asked = _resources(config).get(component.id)
        if asked is not None and (spec := _specification(asked)) is not None:
            component.with_platform_config(spec)
    return made


def _check_place(argument: str, place: str) -> None:
    """Step reach what is mounted as a folder, or is one; anything else they would take for a relative path."""
    if not place.startswith((SCHEME, "/")):
        raise UserError(
            f"{argument} {place}: steps can reach {SCHEME} only, and folders of their container: give a {SCHEME} URI, "
            "or the whole path of a folder that every container has"
        )


def _resources(config: Config) -> dict[str, ResourcesConfig]:
    """By id of the component."""
    return {"Trainer": config.cluster.trainer, "SizeTuner": config.cluster.tuner}


def _specification(asked: ResourcesConfig) -> Any:
    from kfp.pipeline_spec import pipeline_spec_pb2 as pb

    if not (asked.cpus or asked.memory_gigabytes or asked.accelerator):
        return None
    spec = pb.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec(
        cpu_limit=asked.cpus or 0.0, memory_limit=asked.memory_gigabytes or 0.0
    )
    if asked.accelerator:
        spec.accelerator.type, spec.accelerator.count = asked.accelerator, asked.accelerators
    return spec


def _images(config: Config, job: Job) -> str | dict[str, str]:
    accelerated = [name for name, asked in _resources(config).items() if asked.accelerator]
    if not accelerated:
        return job.image
    if job.gpu_image is None:
        raise UserError(
            f"an accelerator for {' and '.join(accelerated)}: name an image that can use it with --gpu-image (the "
            "Dockerfile's target gpu)"
        )
    return {"default_image_path": job.image, **dict.fromkeys(accelerated, job.gpu_image)}


def _set_defaults(spec: dict[str, Any], values: Mapping[str, str]) -> None:
    """TFX leaves the defaults of runtime parameters out of schema 2.1: a run by hand would have to name them all."""
    for name, value in values.items():
        spec["root"]["inputDefinitions"]["parameters"][name]["defaultValue"] = value


def _ask_for_own_types(spec: dict[str, Any]) -> None:
    """Let resolvers of this project's types of artifacts look for those: TFX asks for the generic type's title."""
    for component in spec["components"].values():
        executor = spec["deploymentSpec"]["executors"].get(component.get("executorLabel"), {})
        for name, query in executor.get("resolver", {}).get("outputArtifactQueries", {}).items():
            kind = component["outputDefinitions"]["artifacts"][name]["artifactType"]
            title = re.search(r"^title: (\S+)$", kind.get("instanceSchema", ""), re.MULTILINE)
            if title:
                query["filter"] = query["filter"].replace(f'"{GENERIC_TITLE}"', f'"{title.group(1)}"')


def _use_own_driver(spec: dict[str, Any]) -> None:
    """TFX compiles its own driver for every file-based ExampleGen, whatever the component's DRIVER_CLASS is."""
    for executor in spec["deploymentSpec"]["executors"].values():
        hook = executor.get("container", {}).get("lifecycle", {}).get("preCacheCheck")
        if hook:
            hook["command"] = list(DRIVER)


def _tell_of_accelerators(spec: dict[str, Any]) -> None:
    """Let a step know what is paid for, so that it ends where that is not there."""
    for executor in spec["deploymentSpec"]["executors"].values():
        container = executor.get("container", {})
        asked = container.get("resources", {}).get("accelerator")
        if asked:
            container["env"] = [*container.get("env", []), {"name": ACCELERATOR, "value": asked["type"]}]
