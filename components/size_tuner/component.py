"""A TFX Tuner that searches for the smallest size and records all that was tried."""

from __future__ import annotations

from tfx.components.tuner import component
from tfx.dsl.components.base import executor_spec

from components.size_tuner.executor import Executor


class SizeTuner(component.Tuner):
    """TFX's Tuner, its inputs, outputs and arguments, with `pareto.json` beside `tuner_results.json`."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
