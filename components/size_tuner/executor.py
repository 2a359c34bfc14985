"""TFX's Tuner executor, which also keeps every trial's size and fate: `tuner_results.json` has no room for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import tensorflow as tf
from tfx import types
from tfx.components.tuner import executor as stock
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils, standard_component_specs

if TYPE_CHECKING:
    from models.tuner import SizeTuner

TRIALS_FILE = "trials.json"


class Executor(base_executor.BaseExecutor):
    """Runs the search and writes the chosen sizes, TFX's results and, beside those, the table of trials."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `tfx.components.tuner.executor.Executor.Do`; the table is what `SizeTuner.table` says."""
        # No temporary folder: the state of the search is kept where another execution can go on with it.
        # Not asserted: TFX reloads the module of `tuner_fn`, which makes its classes anew.
        tuner = cast("SizeTuner", stock.search(input_dict, exec_properties, working_dir="", print_tuning_summary=False))
        stock.write_best_hyperparameters(tuner, output_dict)
        results = artifact_utils.get_single_uri(output_dict[standard_component_specs.TUNER_RESULTS_KEY])
        with tf.io.gfile.GFile(f"{results}/{TRIALS_FILE}", "w") as file:
            file.write(json.dumps(tuner.table(), indent=2))
        tuner.forget()
