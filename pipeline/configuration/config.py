"""The configuration of a run as typed classes. Its values come from YAML files: see `loading.py`."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import Field, PositiveInt, ValidationInfo, field_validator

from common.audio import AudioConfig
from common.settings import Settings
from components.browser_validator.config import BrowserValidatorConfig
from components.data_gate.config import DataGateConfig
from components.evaluator.config import EvaluatorConfig
from components.size_tuner.config import TunerConfig
from data.config import ExamplesConfig, ExtractionConfig
from models.config import ModelConfig
from models.training.config import LossConfig, TrainerConfig
from pipeline.configuration.beam import BeamConfig
from pipeline.configuration.resources import ClusterConfig

NOT_PUBLISHED: dict[str, Any] = {
    "report": {"voice"},
    "publishing": True,
    "cluster": True,
    "beam": set(BeamConfig.model_fields) - {"runner", "workers"},
}


class CreditConfig(Settings):
    """Who made a recording and on what terms: shown in the model card and the manifest."""

    work: str = Field(min_length=1, description="what was recorded")
    by: str = Field(min_length=1, description="who made it")
    licence: str = Field(min_length=1, description="SPDX name where there is one")
    source: str = Field(description="where it can be found")


class InstrumentConfig(Settings):
    """Name, description, licence and credits of an instrument, for people."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", description="name of its folders and its pipeline")
    title: str = Field(min_length=1, description="as a page shows it")
    description: str
    licence: str = Field(min_length=1, description="of the trained model, SPDX name where there is one")
    credits: list[CreditConfig] = Field(description="of the recordings")


class PublishingConfig(Settings):
    """How many versions stay published."""

    keep_versions: PositiveInt | None = Field(
        description="newest versions that a push keeps, besides the served one, which always stays; null: all"
    )


class ReportConfig(Settings):
    """Contents of the report."""

    voice: str | None = Field(description="path of a voice clip to turn into the instrument")
    examples: Annotated[int, Field(ge=1, le=20)] = Field(description="eval windows to play and show")


class Config(Settings):
    """The whole resolved configuration: it travels with every artifact and into the manifest."""

    instrument: InstrumentConfig
    audio: AudioConfig
    examples: ExamplesConfig
    data_gate: DataGateConfig
    model: ModelConfig
    loss: LossConfig
    trainer: TrainerConfig
    tuner: TunerConfig
    evaluator: EvaluatorConfig
    browser_validator: BrowserValidatorConfig
    publishing: PublishingConfig
    beam: BeamConfig
    cluster: ClusterConfig
    report: ReportConfig

    @field_validator("tuner")
    @classmethod
    def _rungs_end_before_training_does(cls, tuner: TunerConfig, info: ValidationInfo) -> TunerConfig:
        trainer = info.data.get("trainer")
        if tuner.enabled and trainer is not None and tuner.rungs[-1] >= trainer.steps:
            raise ValueError(f"the last of rungs {tuner.rungs} must be below trainer.steps, which is {trainer.steps}")
        return tuner

    @property
    def extraction(self) -> ExtractionConfig:
        """Settings of RecordingExampleGen."""
        return ExtractionConfig(audio=self.audio, examples=self.examples)

    def to_json(self) -> str:
        """Return canonical JSON of all settings that decide what is made: equal configurations give equal bytes.

        It is published, so paths of voice clips, addresses of engines and names of projects are left out, and so are
        machines and the number of versions kept, which change nothing in a bundle.
        """
        return json.dumps(self.model_dump(mode="json", exclude=NOT_PUBLISHED), sort_keys=True, separators=(",", ":"))

    def hash(self) -> str:
        """Return the SHA-256 of `to_json`, hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
