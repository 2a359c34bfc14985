"""Training jobs: the settings that TFX hands to a Trainer or a Tuner, and the windows of their splits."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
from pydantic import Field
from tfx.components.trainer.fn_args_utils import FnArgs

from common.audio import AudioConfig
from common.settings import Settings
from models.config import ModelConfig
from models.training.checkpoints import fingerprint
from models.training.config import LossConfig, TrainerConfig
from models.training.window_store import WindowStore, read_windows


class TrainingJob(Settings):
    """Settings of one training: the `custom_config` of a Trainer."""

    model: ModelConfig
    audio: AudioConfig
    loss: LossConfig
    trainer: TrainerConfig
    source_fingerprint: str = Field(description="of the code: another fingerprint trains from scratch")
    checkpoint_root: str = Field(description="folder that outlives an execution, for checkpoints")

    def identity(self, **facts: Any) -> str:
        """Compute the fingerprint of all that determines the outcome: settings, code, TensorFlow and given facts."""
        settings = self.model_dump(mode="json", exclude={"checkpoint_root"})
        return fingerprint(**settings, tensorflow=tf.__version__, **facts)


def read_splits(fn_args: FnArgs, audio: AudioConfig, features: tuple[str, ...]) -> tuple[WindowStore, WindowStore]:
    """Read the windows of the train and the eval split; `features` have one value a frame."""
    return read_windows(fn_args.train_files, audio, features), read_windows(fn_args.eval_files, audio, features)
