"""BrowserValidator: nothing is pushed unless the exported files give in a browser what the trained model gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from common.artifacts import serving_folder
from components.browser_validator.chromium import find_chromium
from components.browser_validator.config import BrowserValidatorConfig
from components.browser_validator.validate import validate


class BrowserValidatorExecutor(base_executor.BaseExecutor):
    """Reads the artifacts, calls `validate`, writes the verdict; a refusal is an artifact too, for the Pusher."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Validate a bundle; see `BrowserValidator` for inputs and outputs."""
        verdict = validate(
            serving_folder(artifact_utils.get_single_uri(input_dict["bundle"])),
            serving_folder(artifact_utils.get_single_uri(input_dict["model"])),
            Path(artifact_utils.get_split_uri(input_dict["examples"], "eval")),
            BrowserValidatorConfig.model_validate_json(exec_properties["config"]),
        )
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        blessing.set_int_custom_property("blessed", int(verdict.blessed))  # the property that TFX's Pusher reads
        verdict.write(blessing.uri)


class BrowserValidatorSpec(ComponentSpec):
    """Inputs, outputs and parameters of `BrowserValidator`."""

    PARAMETERS = {  # noqa: RUF012
        "config": ExecutionParameter(type=str),
        "browser": ExecutionParameter(type=str),
        "source_fingerprint": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "bundle": ChannelParameter(type=standard_artifacts.Model),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}  # noqa: RUF012


class BrowserValidator(base_component.BaseComponent):
    """Runs the exported files in headless Chromium on webgl and wasm, and compares them with the SavedModel.

    Its output `blessing` holds `verdict.json` and the property `blessed` as an InfraValidator would set it, so that a
    stock Pusher honours it.
    Where there is no Chromium, the files run in Node on wasm and cpu, and the verdict states that WebGL went unchecked.

    Args:
      bundle: of TfjsExporter.
      model: the SavedModel that it was made from.
      examples: whose eval split has real features to run.
      config: limits.
      source_fingerprint: of this component's and the validator's sources, so that the cache sees an edit.
    """

    SPEC_CLASS = BrowserValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(BrowserValidatorExecutor)

    def __init__(
        self,
        bundle: types.BaseChannel,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        config: BrowserValidatorConfig,
        source_fingerprint: str,
    ) -> None:
        super().__init__(
            BrowserValidatorSpec(
                bundle=bundle,
                model=model,
                examples=examples,
                blessing=types.Channel(type=standard_artifacts.InfraBlessing),
                config=config.model_dump_json(),
                # A refusal for want of a browser must not come from the cache once there is one.
                browser=str(find_chromium().program or ""),
                source_fingerprint=source_fingerprint,
            )
        )
