"""Rates and lengths that recordings, models and bundles share. Nothing here imports TensorFlow."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from common.loudness import window_samples
from common.settings import Settings


class AudioConfig(Settings):
    """Rates and lengths from which every count of samples and frames follows."""

    sample_rate: Literal[16000, 32000, 48000] = Field(description="Hz, of training audio, features and bundle")
    frame_rate: Annotated[int, Field(ge=25, le=1000)] = Field(description="Hz, of features and controls")
    window_seconds: Annotated[float, Field(ge=0.5, le=30)] = Field(description="s, length of one training example")

    @model_validator(mode="after")
    def _whole_hops(self) -> AudioConfig:
        if self.sample_rate % self.frame_rate:
            raise ValueError(f"frame_rate {self.frame_rate} does not divide sample_rate {self.sample_rate} evenly")
        if (self.window_seconds * self.frame_rate) % 1:
            raise ValueError(
                f"window_seconds {self.window_seconds} is not a whole number of frames at {self.frame_rate} Hz"
            )
        return self

    @property
    def hop(self) -> int:
        """Samples per frame."""
        return self.sample_rate // self.frame_rate

    @property
    def window_frames(self) -> int:
        """Frames in one training example."""
        return round(self.window_seconds * self.frame_rate)

    @property
    def window_samples(self) -> int:
        """Samples in one training example."""
        return self.window_frames * self.hop

    @property
    def loudness_fft(self) -> int:
        """Samples in the window of loudness and RMS energy."""
        return window_samples(self.sample_rate)
