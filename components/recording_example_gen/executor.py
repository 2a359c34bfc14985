"""The executor of RecordingExampleGen: starts the extraction and writes the examples.

Examples are written as they come. (TFX's own `WriteSplit` shuffles all of them through memory first: gigabytes for an
hour.)
"""

from __future__ import annotations

from typing import Any

import apache_beam as beam
from google.protobuf import struct_pb2
from tfx import types
from tfx.components.example_gen import base_example_gen_executor, utils, write_split
from tfx.components.util import examples_utils
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.recording_example_gen.extraction import SPLITS, extract
from data.config import ExtractionConfig
from data.features.tracker import require
from data.files.listing import list_recordings
from data.ingest_report import IngestRefused, IngestReport

CONFIG_KEY = "extraction"  # in the Struct of CustomConfig
DATA_FILE = "data_tfrecord"
UNFINISHED = "beam-temp-"  # begins the name of the folder in which Beam writes shards


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Writes examples and the ingest report; raises IngestRefused where the recordings are not enough."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Make examples; see `RecordingExampleGen`.

        Raises:
          UserError: no recordings, or the tracker is not installed.
          IngestRefused: the recordings are not enough; nothing has been cut.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        artifact = artifact_utils.get_single_instance(output_dict[standard_component_specs.EXAMPLES_KEY])
        artifact.span = artifact.get_int_custom_property(utils.SPAN_PROPERTY_NAME)
        artifact.version = artifact.get_int_custom_property(utils.VERSION_PROPERTY_NAME)
        artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_TF_EXAMPLE)
        examples_utils.set_file_format(artifact, write_split.to_file_format_str(example_gen_pb2.FORMAT_TFRECORDS_GZIP))
        pitch = extraction_config(exec_properties).examples.pitch
        require(pitch.tracker, pitch.crepe_capacity)
        with self._make_beam_pipeline() as pipeline:
            splits = self.GenerateExamplesByBeam(pipeline, {**exec_properties, "report_uri": artifact.uri})
            for split, examples in splits.items():
                folder = artifact_utils.get_split_uri([artifact], split)
                _ = examples | f"Write[{split}]" >> beam.io.WriteToTFRecord(
                    f"{folder}/{DATA_FILE}", file_name_suffix=".gz"
                )
        for split in SPLITS:
            remove_unfinished_shards(artifact_utils.get_split_uri([artifact], split))
        report = IngestReport.read(artifact.uri)
        if not report.would_run:
            raise IngestRefused(report)
        print(report.table())

    def GenerateExamplesByBeam(
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """Make serialized examples by split. Recordings are divided before windows are cut, so nothing is hashed."""
        config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config)
        to_examples = self.GetInputSourceToExamplePTransform()
        made = pipeline | "RecordingsToExamples" >> to_examples(exec_properties, config.splits[0].pattern)
        return {split: made[split] for split in SPLITS}

    def GetInputSourceToExamplePTransform(self) -> Any:
        """Return the transform from recordings to serialized examples, one output for each split."""
        return recordings_to_examples


def remove_unfinished_shards(folder: str) -> None:
    """Leave nothing but one whole set of shards in a split's folder or URI, where later stages read every file.

    A job that loses a machine begins some of its work anew. What it had begun to write stays behind, and shards that
    were given their names already would stay beside the new ones if these are another number.

    Raises:
      RuntimeError: shards are missing, or of two attempts. TFX drops what was written; the next run writes it anew.
    """
    for name in fileio.listdir(folder):
        if name.startswith(UNFINISHED):
            fileio.rmtree(f"{folder}/{name.rstrip('/')}")
    names = [name for name in fileio.listdir(folder) if name.startswith(DATA_FILE)]
    if {name.rpartition("-of-")[2] for name in names} != {f"{len(names):05d}.gz"}:
        raise RuntimeError(f"{folder}: shards are missing, or of two attempts: run again ({', '.join(sorted(names))})")


def extraction_config(exec_properties: dict[str, Any]) -> ExtractionConfig:
    """Read the configuration from the CustomConfig that holds it."""
    custom = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], custom)
    settings = struct_pb2.Struct()
    custom.custom_config.Unpack(settings)
    return ExtractionConfig.model_validate_json(settings[CONFIG_KEY])


@beam.ptransform_fn
def recordings_to_examples(
    pipeline: beam.Pipeline, exec_properties: dict[str, Any], split_pattern: str
) -> beam.pvalue.DoOutputsTuple:
    """Convert recordings to examples, tagged "train" and "eval"; the ingest report goes to `report_uri`."""
    config = extraction_config(exec_properties)
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    listing = list_recordings(base, split_pattern, config.examples.span_window)
    return pipeline | "Extract" >> extract(base, listing, config, exec_properties.get("report_uri"))
