"""Settings of a search, as the pipeline hands them to the Tuner."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from components.size_tuner.config import TunerConfig
from models.training.job import TrainingJob


class SearchJob(TrainingJob):
    """Settings of a search over sizes: the `custom_config` of a Tuner."""

    tuner: TunerConfig
    instrument: dict[str, Any] = Field(description="of the bundles whose size is measured")
