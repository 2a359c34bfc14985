"""The gate of the export: a bundle's files computed in a browser, compared with the SavedModel."""

from __future__ import annotations

from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint
from components.browser_validator.component import BrowserValidator
from pipeline.configuration.config import Config


def make_browser_validator(
    config: Config, bundle: BaseChannel, model: BaseChannel, examples: BaseChannel
) -> BrowserValidator:
    """Build the stage that runs the exported files in a browser."""
    return BrowserValidator(
        bundle=bundle,
        model=model,
        examples=examples,
        config=config.browser_validator,
        source_fingerprint=source_fingerprint("components.browser_validator.component"),
    )
