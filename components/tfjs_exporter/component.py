"""TfjsExporter: exports a trained model as a bundle for the browser."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.tfjs_exporter.executor import Executor


class TfjsExporterSpec(ComponentSpec):
    """Inputs, outputs and parameters of `TfjsExporter`."""

    PARAMETERS = {  # noqa: RUF012
        "config": ExecutionParameter(type=str),
        "source_revision": ExecutionParameter(type=str),
        "source_fingerprint": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"bundle": ChannelParameter(type=standard_artifacts.Model)}  # noqa: RUF012


class TfjsExporter(base_component.BaseComponent):
    """Converts a model to TensorFlow.js, makes it small and describes it.

    Outputs `bundle`, a `Model` whose serving folder holds the bundle (`common.artifacts`).

    Args:
      model: of the Trainer.
      examples: that the model was trained on, before Transform.
      config: the whole resolved configuration, canonical JSON; its `instrument` has name, credits and licence.
      source_revision: of the code, for the manifest. It should change only with the code, since it is part of what the
        cache compares.
      source_fingerprint: of the sources that an export depends on, so that the cache sees an edit.
    """

    SPEC_CLASS = TfjsExporterSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        config: str,
        source_revision: str,
        source_fingerprint: str,
    ) -> None:
        spec = TfjsExporterSpec(
            model=model,
            examples=examples,
            config=config,
            source_revision=source_revision,
            source_fingerprint=source_fingerprint,
            bundle=types.Channel(type=standard_artifacts.Model),
        )
        super().__init__(spec=spec)
