"""BundlePusher: publishes a bundle that every gate has blessed."""

from __future__ import annotations

from tfx import types
from tfx.components.pusher.component import Pusher
from tfx.dsl.components.base import base_component, executor_spec
from tfx.orchestration import data_types
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.bundle_pusher.executor import Executor


class BundlePusherSpec(ComponentSpec):
    """Inputs, outputs and parameters of `BundlePusher`."""

    PARAMETERS = {  # noqa: RUF012
        "destination": ExecutionParameter(type=str),
        "keep_versions": ExecutionParameter(type=int, optional=True),
        "source_fingerprint": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing),
    }
    OUTPUTS = {"pushed_model": ChannelParameter(type=standard_artifacts.PushedModel)}  # noqa: RUF012


class BundlePusher(Pusher):
    """Publishes a bundle, atomically and versioned, if every gate has blessed it; else records why not.

    Outputs `pushed_model` with TFX's custom properties `pushed`, `pushed_version`, `pushed_destination`; where nothing
    was pushed, `reasons`. Its folder holds a verdict.

    Args:
      bundle: of TfjsExporter.
      evaluation: of the model in the bundle; its metrics are published with it.
      model_blessing: the Evaluator's.
      infra_blessing: the BrowserValidator's.
      destination: the folder of all published instruments.
      source_fingerprint: of this component's sources, so that the cache sees an edit.
      keep_versions: how many of the newest versions stay there besides the served one; None keeps all.
    """

    SPEC_CLASS = BundlePusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        bundle: types.BaseChannel,
        evaluation: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        destination: str | data_types.RuntimeParameter,
        source_fingerprint: str,
        keep_versions: int | None = None,
    ) -> None:
        spec = BundlePusherSpec(
            model=bundle,
            evaluation=evaluation,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            destination=destination,
            keep_versions=keep_versions,
            source_fingerprint=source_fingerprint,
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        # Not Pusher's own, which insists on TFX's destinations and has no input for an evaluation.
        base_component.BaseComponent.__init__(self, spec=spec)
