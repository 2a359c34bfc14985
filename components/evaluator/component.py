"""Evaluator: TFX's, with one more input and one more gate."""

from __future__ import annotations

import tensorflow_model_analysis as tfma
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.types.standard_component_specs import EvaluatorSpec
from tfx.utils import json_utils

from components.evaluator.executor import LAST_BLESSING, Executor


class JudgedEvaluatorSpec(EvaluatorSpec):
    """Inputs, outputs and parameters of `Evaluator`."""

    PARAMETERS = {  # noqa: RUF012
        **EvaluatorSpec.PARAMETERS,
        "limits": ExecutionParameter(type=str),
        "source_fingerprint": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        **EvaluatorSpec.INPUTS,
        LAST_BLESSING: ChannelParameter(type=standard_artifacts.ModelBlessing, optional=True),
    }


class Evaluator(base_beam_component.BaseBeamComponent):
    """Evaluates a model with TFMA and blesses it, or does not.

    Outputs `evaluation`, a `ModelEvaluation`, and `blessing`, a `ModelBlessing`, as TFX's Evaluator does.

    Args:
      examples: with the split eval.
      model: of the Trainer.
      baseline_model: the last blessed model; None where a new one is not compared with it.
      last_blessing: the blessing of that model, or None.
      eval_config: metrics, slices and limits that TFMA holds.
      limits: `EvaluatorConfig` as JSON, for what TFMA cannot hold.
      source_fingerprint: of the sources of the decision, so that the cache sees an edit.
    """

    SPEC_CLASS = JudgedEvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        baseline_model: types.BaseChannel | None,
        last_blessing: types.BaseChannel | None,
        eval_config: tfma.EvalConfig,
        limits: str,
        source_fingerprint: str,
    ) -> None:
        spec = JudgedEvaluatorSpec(
            examples=examples,
            model=model,
            baseline_model=baseline_model,
            last_blessing=last_blessing,
            eval_config=eval_config,
            example_splits=json_utils.dumps(["eval"]),
            fairness_indicator_thresholds=json_utils.dumps(None),
            limits=limits,
            source_fingerprint=source_fingerprint,
            evaluation=types.Channel(type=standard_artifacts.ModelEvaluation),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)
