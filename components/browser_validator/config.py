"""Limits on a bundle in a browser, without which it is not pushed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.settings import Settings


class BrowserValidatorConfig(Settings):
    """Parity with the SavedModel, size and speed."""

    require_webgl: bool = Field(description="refuse the push where no Chromium is found and WebGL went unchecked")
    min_controls_snr_db: Annotated[float, Field(gt=0)] = Field(
        description="dB, least SNR of controls against the SavedModel's"
    )
    min_full_snr_db: Annotated[float, Field(gt=0)] = Field(
        description="dB, least SNR of the full graph's audio against the SavedModel's"
    )
    max_bundle_kilobytes: Annotated[float, Field(gt=0)] = Field(
        description="kB after gzip, most that a page downloads for `controls`"
    )
    max_gpu_megabytes: Annotated[float, Field(gt=0)] = Field(
        description="MB of GPU memory, most that a graph may take for `seconds` of audio"
    )
    seconds: Annotated[float, Field(gt=0, le=10)] = Field(description="s of features in each case")
    timeout_seconds: Annotated[float, Field(gt=0)] = Field(description="s after which the browser counts as hung")
