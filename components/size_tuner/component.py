"""A TFX Tuner that searches for the smallest size and records all that was tried."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import trainer_pb2
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter
from tfx.types.standard_component_specs import TunerSpec
from tfx.utils import json_utils

from components.size_tuner.executor import ORIGINALS, Executor


class SizeTunerSpec(TunerSpec):
    """Inputs, outputs and parameters of `SizeTuner`."""

    INPUTS = {  # noqa: RUF012
        **TunerSpec.INPUTS,
        ORIGINALS: ChannelParameter(type=standard_artifacts.Examples, optional=True),
    }


class SizeTuner(base_component.BaseComponent):
    """TFX's Tuner and its outputs, with `pareto.json` beside `tuner_results.json`.

    Args:
      examples: after Transform.
      originals: the same before, which hold the originals that finished trials are judged against.
      transform_graph: of Transform.
      tuner_fn: path of the function that makes the search.
      custom_config: `SearchJob` as JSON values.
    """

    SPEC_CLASS = SizeTunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        originals: types.BaseChannel,
        transform_graph: types.BaseChannel,
        tuner_fn: str,
        custom_config: dict[str, Any],
    ) -> None:
        spec = SizeTunerSpec(
            examples=examples,
            originals=originals,
            transform_graph=transform_graph,
            tuner_fn=tuner_fn,
            train_args=trainer_pb2.TrainArgs(),
            eval_args=trainer_pb2.EvalArgs(),
            custom_config=json_utils.dumps(custom_config),
            best_hyperparameters=types.Channel(type=standard_artifacts.HyperParameters),
            tuner_results=types.Channel(type=standard_artifacts.TunerResults),
        )
        super().__init__(spec=spec)
