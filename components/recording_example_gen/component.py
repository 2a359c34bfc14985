"""RecordingExampleGen: a folder of recordings becomes windows of audio with features, split into train and eval."""

from __future__ import annotations

from typing import Any

from google.protobuf import any_pb2, struct_pb2
from tfx.components.example_gen import component, driver, utils
from tfx.dsl.components.base import executor_spec
from tfx.orchestration import data_types
from tfx.proto import example_gen_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from common.fingerprint import source_fingerprint
from components.recording_example_gen.executor import CONFIG_KEY, Executor, extraction_config
from components.recording_example_gen.extraction import SPLITS
from data.config import ExtractionConfig
from data.files.listing import fingerprint, input_pattern, list_recordings, resolve

FINGERPRINT_KEY = "source_fingerprint"


class Driver(driver.FileBasedDriver):
    """Resolves span and version as `check` does, and fingerprints the whole span window, nested folders too."""

    def resolve_exec_properties(
        self,
        exec_properties: dict[str, Any],
        pipeline_info: data_types.PipelineInfo,
        component_info: data_types.ComponentInfo,
    ) -> dict[str, Any]:
        """Add span, version and fingerprint.

        Raises:
          UserError: the folder is absent, holds no recording, or has no span where the pattern names one.
        """
        return resolved_properties(exec_properties)


def resolved_properties(exec_properties: dict[str, Any]) -> dict[str, Any]:
    """Add the span, version and fingerprint of the recordings that an execution will read to its properties.

    Args:
      exec_properties: `input_base`, `input_config` and `custom_config`, as RecordingExampleGen sets them.

    Raises:
      UserError: the folder is absent, holds no recording, or has no span where the pattern names one.
    """
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    config = example_gen_pb2.Input()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config)
    resolved = resolve(base, config.splits[0].pattern)
    config.splits[0].pattern = resolved.pattern
    listing = list_recordings(base, resolved.pattern, extraction_config(exec_properties).examples.span_window)
    return {
        **exec_properties,
        standard_component_specs.INPUT_CONFIG_KEY: proto_utils.proto_to_json(config),
        utils.SPAN_PROPERTY_NAME: resolved.span,
        utils.VERSION_PROPERTY_NAME: resolved.version,
        utils.FINGERPRINT_PROPERTY_NAME: fingerprint(base, listing),
    }


class RecordingExampleGen(component.FileBasedExampleGen):
    """Ingests recordings.

    The output `examples` is a standard Examples artifact with the splits train and eval and `ingest_report.json`. A
    fingerprint of the recordings, the configuration and a fingerprint of this component's sources decide whether the
    cache holds: nothing else does.

    Args:
      input_base: folder or URI of recordings, of span-N folders, or of span-N/version-M folders.
      extraction: what to measure and what to set aside.
      input_pattern: how recordings are laid out below `input_base`: "*", "span-{SPAN}/*" or
        "span-{SPAN}/version-{VERSION}/*". None finds out, where `input_base` can be listed now.
    """

    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(
        self,
        input_base: str | data_types.RuntimeParameter,
        extraction: ExtractionConfig,
        input_pattern: str | None = None,
    ):
        split = example_gen_pb2.Input.Split(name="recordings", pattern=input_pattern or _pattern(input_base))
        outputs = [example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=1) for name in SPLITS]
        super().__init__(
            input_base=input_base,
            input_config=example_gen_pb2.Input(splits=[split]),
            output_config=example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=outputs)),
            custom_config=_custom_config(extraction),
        )


def _pattern(input_base: str | data_types.RuntimeParameter) -> str:
    return input_pattern(input_base) if isinstance(input_base, str) else "*"


def _custom_config(extraction: ExtractionConfig) -> example_gen_pb2.CustomConfig:
    settings = struct_pb2.Struct()
    settings.update(
        {CONFIG_KEY: extraction.model_dump_json(), FINGERPRINT_KEY: source_fingerprint(Executor.__module__)}
    )
    packed = any_pb2.Any()
    packed.Pack(settings, deterministic=True)
    return example_gen_pb2.CustomConfig(custom_config=packed)
