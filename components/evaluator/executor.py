"""The executor of Evaluator: TFMA's evaluation, then the decision that TFMA cannot make."""

from __future__ import annotations

from typing import Any

from tfx import types
from tfx.components.evaluator import constants
from tfx.components.evaluator import executor as stock
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import io_utils

from components.evaluator.against_original import LAST_BLESSED
from components.evaluator.config import EvaluatorConfig
from components.evaluator.judge import Best, Judgement, judge
from components.evaluator.results import read_metrics, write_judgement
from data.windows.examples import split_files
from models.quality.judged import digest, judged_examples

LAST_BLESSING = "last_blessing"  # the input that holds the blessing of the last blessed model
JUDGED_KEY, BEST_KEY = "judged_windows", "best_visqol"  # custom properties of a blessing

Artifacts = dict[str, list[types.Artifact]]


class Executor(stock.Executor):
    """Evaluates with TFMA, judges by ViSQOL, and keeps the best score with every blessing for the next."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        """Evaluate; see `Evaluator` for inputs and outputs."""
        super().Do(input_dict, output_dict, exec_properties)
        evaluation = artifact_utils.get_single_uri(output_dict[standard_component_specs.EVALUATION_KEY])
        blessing = artifact_utils.get_single_instance(output_dict[standard_component_specs.BLESSING_KEY])
        examples = artifact_utils.get_split_uri(input_dict[standard_component_specs.EXAMPLES_KEY], "eval")
        judgement = judge(
            read_metrics(evaluation)[()],
            read_metrics(evaluation, LAST_BLESSED).get(()),
            _best(input_dict.get(LAST_BLESSING, [])),
            digest(judged_examples(split_files(examples))),
            EvaluatorConfig.model_validate_json(exec_properties["limits"]),
        )
        write_judgement(evaluation, judgement.reasons, judgement.notes)
        _record(blessing, judgement)


def _best(blessings: list[types.Artifact]) -> Best | None:
    """Read the best score so far from the last blessing; None where it is of an earlier version, or there is none."""
    for blessing in blessings:
        judged, score = blessing.get_string_custom_property(JUDGED_KEY), blessing.get_float_custom_property(BEST_KEY)
        if judged:
            return Best(judged, score)
    return None


def _record(blessing: types.Artifact, judgement: Judgement) -> None:
    """Take the blessing back where there is a reason to; keep the best score with it where there is none."""
    blessed = blessing.get_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY) == constants.BLESSED_VALUE
    if blessed and judgement.reasons:
        fileio.remove(f"{blessing.uri}/{constants.BLESSED_FILE_NAME}")
        io_utils.write_string_file(f"{blessing.uri}/{constants.NOT_BLESSED_FILE_NAME}", "")
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, constants.NOT_BLESSED_VALUE)
    elif blessed and judgement.best is not None:
        blessing.set_string_custom_property(JUDGED_KEY, judgement.best.judged)
        blessing.set_float_custom_property(BEST_KEY, judgement.best.visqol)
