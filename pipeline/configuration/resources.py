"""The machines that steps request from a cluster. On one machine they have no effect."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from common.settings import Settings


class ResourcesConfig(Settings):
    """Resources of one step. Vertex takes the smallest machine type that has all of them."""

    cpus: Annotated[float, Field(gt=0)] | None = Field(description="vCPUs; null: the cluster's default")
    memory_gigabytes: Annotated[float, Field(gt=0)] | None = Field(description="GB; null: the cluster's default")
    accelerator: str | None = Field(description="the cluster's name of it, for example NVIDIA_TESLA_T4; null: none")
    accelerators: PositiveInt = Field(description="of them, where there is one")


class ClusterConfig(Settings):
    """Machines of the steps that need more than a cluster's default."""

    trainer: ResourcesConfig
    tuner: ResourcesConfig

    @model_validator(mode="after")
    def _one_gpu_each(self) -> ClusterConfig:
        """Raise ValueError where accelerators would be idle: training runs on one device."""
        for name in ("trainer", "tuner"):
            if getattr(self, name).accelerator and getattr(self, name).accelerators > 1:
                raise ValueError(f"{name}.accelerators: training runs on one accelerator, so more would be idle")
        return self
