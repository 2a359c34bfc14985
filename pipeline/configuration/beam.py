"""Where Beam steps run: the settings, and Beam's command line made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from common.errors import UserError
from common.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
WORKER_KEPT_SECONDS = 60  # how long Flink and Spark keep an idle Python worker, for the job's next stage to use


class DataflowConfig(Settings):
    """Google Cloud Dataflow."""

    project: str | None = Field(description="Google Cloud project")
    region: str | None = Field(description="for example europe-west4")
    temp_location: str | None = Field(description="gs:// folder for staged files of a job")
    machine_type: str | None = Field(description="of workers; null: Dataflow's choice")


class BeamConfig(Settings):
    """Where the heavy data work runs."""

    runner: Literal["direct", "flink", "spark", "dataflow"]
    workers: PositiveInt = Field(
        description="direct: processes on this machine; flink, spark: parallelism; dataflow: workers at most"
    )
    flink_master: str | None = Field(description="host:port of a Flink job manager's REST service, with runner flink")
    spark_master: str | None = Field(description="URL of a Spark master, with runner spark")
    job_endpoint: str | None = Field(description="host:port of a running Beam job server, with flink or spark")
    environment: Literal["DOCKER", "PROCESS", "EXTERNAL", "LOOPBACK"] | None = Field(
        description="how flink and spark start Python workers; null: DOCKER, with the pipeline's image where it has one"
    )
    environment_config: str | None = Field(
        description="DOCKER: the image, null: the pipeline's; PROCESS: the program that starts a worker, on every "
        "machine; EXTERNAL: host:port of a pool of workers"
    )
    dataflow: DataflowConfig
    arguments: list[str] = Field(description="further arguments of Beam, as they are; they override all others")

    @model_validator(mode="after")
    def _has_an_address(self) -> BeamConfig:
        """Raise ValueError where the address of the runner's cluster is missing."""
        if self.runner == "flink" and not (self.flink_master or self.job_endpoint):
            raise ValueError("runner flink needs flink_master or job_endpoint, as host:port")
        if self.runner == "spark" and not (self.spark_master or self.job_endpoint):
            raise ValueError("runner spark needs spark_master or job_endpoint")
        if self.runner == "dataflow":
            needed = ("project", "region", "temp_location")
            missing = [f"dataflow.{name}" for name in needed if not getattr(self.dataflow, name)]
            if missing:
                raise ValueError(f"runner dataflow needs {', '.join(missing)}")
        return self


def beam_arguments(config: BeamConfig, image: str | None = None) -> list[str]:
    """Return Beam's command line.

    Args:
      config: the settings.
      image: container image that holds the project, for steps and workers in containers; None: workers in Beam's own
        image install the project, and the packages that are locked for it, from this checkout (see setup.py).

    Raises:
      UserError: Dataflow's workers would have no image.
    """
    if config.runner == "dataflow" and image is None:
        raise UserError(
            "beam.runner: dataflow needs workers with the project's image: compile with `kubeflow_runner.py` and "
            "--image, or choose direct, flink or spark"
        )
    holder = image or _own_image(config)
    # With the code given here, TFX does not package itself anew for every component.
    code = f"--sdk_container_image={holder}" if holder else f"--setup_file={ROOT / 'setup.py'}"
    runner = {"direct": _direct, "flink": _portable, "spark": _portable, "dataflow": _dataflow}[config.runner]
    return [*runner(config, image), code, *config.arguments]


def _own_image(config: BeamConfig) -> str | None:
    """Return the image of Flink's and Spark's workers, which has the project."""
    in_containers = config.runner in ("flink", "spark") and config.environment in (None, "DOCKER")
    return config.environment_config if in_containers else None


def _direct(config: BeamConfig, image: str | None) -> Iterator[str]:
    yield "--runner=DirectRunner"
    if config.workers > 1:
        yield "--direct_running_mode=multi_processing"
        yield f"--direct_num_workers={config.workers}"


def _portable(config: BeamConfig, image: str | None) -> Iterator[str]:
    """Yield the arguments for a job server that runs already, or that Beam starts for a Flink or Spark master."""
    if config.job_endpoint:
        yield "--runner=PortableRunner"
        yield f"--job_endpoint={config.job_endpoint}"
    elif config.runner == "flink":
        yield "--runner=FlinkRunner"
        yield f"--flink_master={config.flink_master}"
    else:
        yield "--runner=SparkRunner"
        yield f"--spark_master_url={config.spark_master}"
    yield f"--parallelism={config.workers}"
    yield f"--environment_cache_millis={WORKER_KEPT_SECONDS * 1000}"
    yield f"--environment_type={config.environment or 'DOCKER'}"
    environment = config.environment_config or (image if config.environment in (None, "DOCKER") else None)
    if environment and config.environment == "PROCESS":
        environment = json.dumps({"command": environment})
    if environment:
        yield f"--environment_config={environment}"


def _dataflow(config: BeamConfig, image: str | None) -> Iterator[str]:
    yield "--runner=DataflowRunner"
    yield f"--project={config.dataflow.project}"
    yield f"--region={config.dataflow.region}"
    yield f"--temp_location={config.dataflow.temp_location}"
    yield f"--max_num_workers={config.workers}"
    if config.dataflow.machine_type:
        yield f"--machine_type={config.dataflow.machine_type}"
