"""Limits beyond which a batch of recordings is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from common.settings import Settings


class DataGateConfig(Settings):
    """Limits on what a new batch of recordings may look like."""

    max_drift: Annotated[float, Field(gt=0, le=1)] = Field(
        description="largest Jensen-Shannon divergence from the previous span, per feature"
    )
    min_train_windows: Annotated[int, Field(ge=1)]
    min_eval_windows: Annotated[int, Field(ge=1)]

    def too_few(self, windows: Mapping[str, int]) -> list[str]:
        """List which splits, `train` and `eval`, have too few windows (split -> number)."""
        return [
            f"{split}: {windows.get(split, 0)} windows, {least} are needed: add recordings"
            for split, least in (("train", self.min_train_windows), ("eval", self.min_eval_windows))
            if windows.get(split, 0) < least
        ]
