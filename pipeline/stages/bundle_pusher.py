"""Publication of a bundle that every gate blessed."""

from __future__ import annotations

from tfx.components import Evaluator
from tfx.orchestration.data_types import RuntimeParameter

from common.fingerprint import source_fingerprint
from components.browser_validator.component import BrowserValidator
from components.bundle_pusher.component import BundlePusher
from components.tfjs_exporter.component import TfjsExporter
from pipeline.configuration.config import Config


def make_bundle_pusher(
    config: Config,
    exporter: TfjsExporter,
    evaluator: Evaluator,
    validator: BrowserValidator,
    destination: str | RuntimeParameter,
) -> BundlePusher:
    """Build the stage that publishes the bundle."""
    return BundlePusher(
        bundle=exporter.outputs["bundle"],
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=validator.outputs["blessing"],
        destination=destination,
        keep_versions=config.publishing.keep_versions,
        source_fingerprint=source_fingerprint("components.bundle_pusher.executor"),
    )
