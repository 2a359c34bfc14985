"""Settings of a search over model sizes, typed and bounded. Their values are in `configs/base.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PositiveInt, model_validator

from common.settings import Settings
from models.network.search_space import ReferenceConfig, SpaceConfig


class TunerConfig(Settings):
    """A search over model sizes for the smallest that still sounds as good as the best, by successive halving."""

    enabled: bool
    trials: PositiveInt = Field(description="distinct configurations tried, the reference not counted")
    workers: Annotated[int, Field(ge=1, le=256)] = Field(description="processes that train them")
    rungs: Annotated[list[Annotated[int, Field(ge=40)]], Field(min_length=1)] = Field(
        description="steps after which trials are compared; those that get beyond the last train as long as the Trainer"
    )
    keep: Annotated[float, Field(gt=0, lt=1)] = Field(description="share of a rung's trials promoted to the next")
    tolerance: Annotated[float, Field(ge=0, le=1)] = Field(
        description="share by which the loss of the smallest may exceed the lowest, the reference's included"
    )
    lease_seconds: Annotated[float, Field(gt=0)] = Field(
        description="s of silence of a worker after which another one gets its trial"
    )
    reference: ReferenceConfig | None = Field(description="full-size model to compare small ones with; null for none")
    space: SpaceConfig

    @model_validator(mode="after")
    def _rungs_rise(self) -> TunerConfig:
        if self.rungs != sorted(set(self.rungs)):
            raise ValueError(f"rungs {self.rungs} must rise from each to the next")
        return self
