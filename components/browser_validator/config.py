"""What a bundle must do in a browser before it is pushed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from common.settings import Settings


class BrowserValidatorConfig(Settings):
    """Parity with the SavedModel, size and speed."""

    require_webgl: bool = Field(description="refuse the push where no Chromium is found and WebGL went unchecked")
    min_controls_snr_db: Annotated[float, Field(gt=0)] = Field(description="dB, controls against the SavedModel's")
    min_full_snr_db: Annotated[float, Field(gt=0)] = Field(
        description="dB, audio of the full graph against the SavedModel's"
    )
    max_bundle_kilobytes: Annotated[float, Field(gt=0)] = Field(
        description="kB gzip of all that the controls path downloads"
    )
    seconds: Annotated[float, Field(gt=0, le=10)] = Field(description="s of features that are run")
    timeout_seconds: Annotated[float, Field(gt=0)] = Field(description="s after which the browser counts as hung")
