"""Compile an instrument's pipeline into a PipelineJob, which Vertex and Kubeflow Pipelines run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2 import kubeflow_v2_dag_runner as kubeflow
from tfx.orchestration.pipeline import Pipeline

from common.errors import UserError
from common.patterns import check_no_pattern
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
    """Recordings, root and images of a pipeline on a cluster.

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
        """Folder or URI of published bundles, the default of a run."""
        return f"{self.pipeline_root.rstrip('/')}/pushed"


def compile_job(config: Config, job: Job) -> dict[str, Any]:
    """Compile the PipelineJob of one instrument, schema 2.1, as JSON values.

    Raises:
      UserError: the instrument's name cannot be that of a pipeline on a cluster, its recordings or its root cannot be
        reached from there, or an accelerator would have no image that can use it.
    """
    pipeline = make_pipeline(config, job)
    runner = kubeflow.KubeflowV2DagRunner(
        kubeflow.KubeflowV2DagRunnerConfig(
            display_name=config.instrument.name,
            default_image=_images(config, job),
            default_commands=list(COMMAND),
            # The 2.0 schema loses the span driver's results, and {SPAN} is never filled in.
            use_pipeline_spec_2_1=True,
        )
    )
    values = {RECORDINGS: job.recordings, DESTINATION: job.destination}
    compiled: dict[str, Any] = runner.run(pipeline, parameter_values=values, write_out=False)
    _set_defaults(compiled["pipelineSpec"], values)
    _query_own_types(compiled["pipelineSpec"])
    _use_own_driver(compiled["pipelineSpec"])
    _name_accelerators(compiled["pipelineSpec"])
    return compiled


def make_pipeline(config: Config, job: Job) -> Pipeline:
    """Make the same pipeline as on one machine, with runtime parameters and machines.

    Raises:
      UserError: the instrument's name cannot be that of a pipeline on a cluster, its recordings or its root cannot be
        reached from there, or the root is a pattern to Beam.
    """
    name = config.instrument.name
    if not PIPELINE_NAME.fullmatch(name):
        raise UserError(
            f"instrument.name {name!r}: a pipeline on a cluster is named after its instrument, with a-z, 0-9 and - "
            "only: rename the instrument and its file in configs/instruments"
        )
    _check_reachable("--pipeline-root", job.pipeline_root)
    _check_reachable("--recordings", job.recordings)
    check_no_pattern("--pipeline-root", job.pipeline_root)
    root = job.pipeline_root.rstrip("/")
    pipeline = create_pipeline(
        config,
        recordings=RuntimeParameter(RECORDINGS, ptype=str, default=job.recordings),
        pipeline_root=root,
        push_destination=RuntimeParameter(DESTINATION, ptype=str, default=job.destination),
        checkpoint_root=f"{root}/checkpoints/{name}",
        layout=job.layout,
        image=job.image,
    )
    for component in pipeline.components:
        resources = _resources(config).get(component.id)
        if resources is not None and (spec := _specification(resources)) is not None:
            component.with_platform_config(spec)
    return pipeline


def _check_reachable(argument: str, uri: str) -> None:
    """Raise UserError for what is neither a bucket nor an absolute path: steps would take it for a relative path."""
    if not uri.startswith((SCHEME, "/")):
        raise UserError(
            f"{argument} {uri}: steps can reach {SCHEME} only, and folders of their container: give a {SCHEME} URI, "
            "or the whole path of a folder that every container has"
        )


def _resources(config: Config) -> dict[str, ResourcesConfig]:
    """Return the resources that are configured, by id of the component."""
    return {"Trainer": config.cluster.trainer, "SizeTuner": config.cluster.tuner}


def _specification(resources: ResourcesConfig) -> Any:
    from kfp.pipeline_spec import pipeline_spec_pb2 as pb

    if not (resources.cpus or resources.memory_gigabytes or resources.accelerator):
        return None
    spec = pb.PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec(
        cpu_limit=resources.cpus or 0.0, memory_limit=resources.memory_gigabytes or 0.0
    )
    if resources.accelerator:
        spec.accelerator.type, spec.accelerator.count = resources.accelerator, resources.accelerators
    return spec


def _images(config: Config, job: Job) -> str | dict[str, str]:
    accelerated = [name for name, resources in _resources(config).items() if resources.accelerator]
    if not accelerated:
        return job.image
    if job.gpu_image is None:
        raise UserError(
            f"an accelerator for {' and '.join(accelerated)}: name an image that can use it with --gpu-image (the "
            "Dockerfile's target gpu)"
        )
    return {"default_image_path": job.image, **dict.fromkeys(accelerated, job.gpu_image)}


def _set_defaults(spec: dict[str, Any], values: Mapping[str, str]) -> None:
    """Add the defaults of runtime parameters, which TFX omits in schema 2.1: a run by hand would have to give them."""
    for name, value in values.items():
        spec["root"]["inputDefinitions"]["parameters"][name]["defaultValue"] = value


def _query_own_types(spec: dict[str, Any]) -> None:
    """Let resolvers query this project's own types of artifacts: TFX queries the generic type's title."""
    for component in spec["components"].values():
        executor = spec["deploymentSpec"]["executors"].get(component.get("executorLabel"), {})
        for name, query in executor.get("resolver", {}).get("outputArtifactQueries", {}).items():
            kind = component["outputDefinitions"]["artifacts"][name]["artifactType"]
            title = re.search(r"^title: (\S+)$", kind.get("instanceSchema", ""), re.MULTILINE)
            if title:
                query["filter"] = query["filter"].replace(f'"{GENERIC_TITLE}"', f'"{title.group(1)}"')


def _use_own_driver(spec: dict[str, Any]) -> None:
    """Set the driver: TFX compiles its own for every file-based ExampleGen, whatever its DRIVER_CLASS is."""
    for executor in spec["deploymentSpec"]["executors"].values():
        hook = executor.get("container", {}).get("lifecycle", {}).get("preCacheCheck")
        if hook:
            hook["command"] = list(DRIVER)


def _name_accelerators(spec: dict[str, Any]) -> None:
    """Set a variable of each accelerated step to its accelerator, so that the step ends where none is found."""
    for executor in spec["deploymentSpec"]["executors"].values():
        container = executor.get("container", {})
        accelerator = container.get("resources", {}).get("accelerator")
        if accelerator:
            container["env"] = [*container.get("env", []), {"name": ACCELERATOR, "value": accelerator["type"]}]
