"""What TFX asks a Trainer or a Tuner to do, and on which windows."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from pydantic import Field
from tfx.components.trainer.fn_args_utils import FnArgs

from models.checkpoints import fingerprint
from models.config import AudioConfig, LossConfig, ModelConfig, TrainerConfig, TunerConfig
from models.input import Windows, read_windows
from models.settings import Settings


class Job(Settings):
    """What a Trainer or Tuner is asked to do: its `custom_config`."""

    model: ModelConfig
    audio: AudioConfig
    loss: LossConfig
    trainer: TrainerConfig
    tuner: TunerConfig | None = Field(default=None, description="for the Tuner alone")
    instrument: dict[str, Any] | None = Field(default=None, description="for the Tuner alone: of the bundles it sizes")
    source_fingerprint: str = Field(description="of the code: another one trains anew")
    checkpoint_root: str = Field(description="folder that outlives an execution, for checkpoints")

    def identity(self, **facts: Any) -> str:
        """Fingerprint of all that determines the outcome: the settings, the code, TensorFlow, and the given facts."""
        settings = self.model_dump(mode="json", exclude={"checkpoint_root"})
        return fingerprint(**settings, tensorflow=tf.__version__, **facts)


def read_splits(fn_args: FnArgs, audio: AudioConfig, features: tuple[str, ...]) -> tuple[Windows, Windows]:
    """Reads the training and the eval windows that TFX hands over."""
    return read_windows(fn_args.train_files, audio, features), read_windows(fn_args.eval_files, audio, features)
