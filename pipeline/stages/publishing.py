"""From a judged model to what a web page loads: export, proof in a browser, publication."""

from __future__ import annotations

from tfx.components import Evaluator
from tfx.orchestration.data_types import RuntimeParameter
from tfx.types import BaseChannel

from common.fingerprint import source_fingerprint, source_revision
from components.browser_validator.component import BrowserValidator
from components.bundle_pusher.component import BundlePusher
from components.tfjs_exporter.component import TfjsExporter
from pipeline.configuration.config import Config

VALIDATOR_BUILD = ("web/vite.validator.config.ts", "web/package-lock.json")


def make_exporter(config: Config, model: BaseChannel, examples: BaseChannel) -> TfjsExporter:
    """SavedModel -> TensorFlow.js graphs, impulse response and manifest."""
    return TfjsExporter(
        model=model,
        examples=examples,
        config=config.to_json(),
        source_revision=source_revision(),
        source_fingerprint=source_fingerprint("components.tfjs_exporter.executor"),
    )


def make_browser_validator(
    config: Config, bundle: BaseChannel, model: BaseChannel, examples: BaseChannel
) -> BrowserValidator:
    """Run the exported files in a browser and compares them with the SavedModel."""
    return BrowserValidator(
        bundle=bundle,
        model=model,
        examples=examples,
        config=config.browser_validator,
        source_fingerprint=source_fingerprint("components.browser_validator.component", *VALIDATOR_BUILD),
    )


def make_pusher(
    config: Config,
    exporter: TfjsExporter,
    evaluator: Evaluator,
    validator: BrowserValidator,
    destination: str | RuntimeParameter,
) -> BundlePusher:
    """Publish a bundle that every gate blessed."""
    return BundlePusher(
        bundle=exporter.outputs["bundle"],
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=validator.outputs["blessing"],
        destination=destination,
        keep_versions=config.publishing.keep_versions,
        source_fingerprint=source_fingerprint("components.bundle_pusher.executor"),
    )
