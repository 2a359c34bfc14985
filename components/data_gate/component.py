"""DataGate: stops a run with recordings that are not fit to train on. ExampleValidator only records what it finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx import types
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.types import artifact_utils, standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.utils import io_utils

from common.verdict import GateRefused
from components.data_gate.artifact import AcceptedData
from components.data_gate.config import DataGateConfig
from components.data_gate.judge import judge

STATISTICS_FILE = "train_statistics.pb"


class DataGateExecutor(base_executor.BaseExecutor):
    """Reads the artifacts, calls `judge`, writes the verdict; raises GateRefused where it is negative."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Judge a batch of recordings; see `DataGate` for inputs and outputs."""
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        found = artifact_utils.get_single_instance(input_dict["anomalies"])
        splits = artifact_utils.decode_split_names(statistics.split_names)
        schema_folder = artifact_utils.get_single_uri(input_dict["schema"])
        by_split = {split: stats_artifact_utils.load_statistics(statistics, split).proto() for split in splits}
        verdict = judge(
            by_split,
            {split: _anomalies(found, split) for split in splits},
            io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(schema_folder)),
            _previous(input_dict.get("accepted", [])),
            DataGateConfig.model_validate_json(exec_properties["config"]),
        )
        if not verdict.blessed:
            raise GateRefused(verdict)
        accepted = artifact_utils.get_single_instance(output_dict["accepted_data"])
        accepted.set_int_custom_property("span", int(statistics.span))
        verdict.write(accepted.uri)
        tfdv.write_stats_text(by_split["train"], str(Path(accepted.uri) / STATISTICS_FILE))


def _anomalies(artifact: types.Artifact, split: str) -> anomalies_pb2.Anomalies:
    [path] = [path for path in Path(artifact_utils.get_split_uri([artifact], split)).iterdir() if path.is_file()]
    return anomalies_pb2.Anomalies.FromString(path.read_bytes())


def _previous(accepted: list[types.Artifact]) -> Any:
    return tfdv.load_stats_text(str(Path(accepted[0].uri) / STATISTICS_FILE)) if accepted else None


class DataGateSpec(ComponentSpec):
    """Inputs, outputs and parameters of `DataGate`."""

    PARAMETERS = {  # noqa: RUF012
        "config": ExecutionParameter(type=str),
        "source_fingerprint": ExecutionParameter(type=str),
    }
    INPUTS = {  # noqa: RUF012
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "accepted": ChannelParameter(type=AcceptedData, optional=True),
    }
    OUTPUTS = {"accepted_data": ChannelParameter(type=AcceptedData)}  # noqa: RUF012


class DataGate(base_component.BaseComponent):
    """Lets a run go on only with recordings that are fit to train on.

    Args:
      statistics: of the examples, by split.
      anomalies: what ExampleValidator found in them.
      schema: the curated schema of the statistics.
      accepted: the last batch that was accepted, against which drift is measured; none on a first run.
      config: limits.
      source_fingerprint: of this component's sources, so that the cache sees an edit.
    """

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(DataGateExecutor)

    def __init__(
        self,
        statistics: types.BaseChannel,
        anomalies: types.BaseChannel,
        schema: types.BaseChannel,
        accepted: types.BaseChannel | None,
        config: DataGateConfig,
        source_fingerprint: str,
    ) -> None:
        super().__init__(
            DataGateSpec(
                statistics=statistics,
                anomalies=anomalies,
                schema=schema,
                accepted=accepted,
                accepted_data=types.Channel(type=AcceptedData),
                config=config.model_dump_json(),
                source_fingerprint=source_fingerprint,
            )
        )
