"""Limits that a model must keep to be blessed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.settings import Settings


class EvaluatorConfig(Settings):
    """Absolute limits that mean the same for any recording, and some against earlier blessed models."""

    max_loss_over_baseline: Annotated[float, Field(gt=0)] = Field(
        description="most eval loss, as a share of the network-free baseline's"
    )
    max_f0_error_cents: Annotated[float, Field(gt=0)] = Field(
        description="cents, most median |f0 error| of the generated audio"
    )
    max_loudness_error_db: Annotated[float, Field(gt=0)] = Field(
        description="dB, most mean |loudness error| on frames that are not silent"
    )
    against_last_blessed: bool = Field(
        description="compare with the last blessed model; a run here does not where rates or loss are others"
    )
    max_loss_increase: Annotated[float, Field(ge=0)] = Field(
        description="share by which the loss may exceed that of the last blessed model, over all and on any span"
    )
    max_octave_error_db: Annotated[float, Field(gt=0)] = Field(
        description="dB, most |mean level error| in any octave band in which the recordings have energy"
    )
    min_visqol_over_baseline: Annotated[float, Field(ge=-4, le=4)] = Field(
        description="points, least ViSQOL against the original above the network-free baseline's"
    )
    max_visqol_drop: Annotated[float, Field(ge=0, le=4)] = Field(
        description="points by which ViSQOL against the original may lie below that of the best blessed version"
    )
