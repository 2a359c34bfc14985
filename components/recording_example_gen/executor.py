"""The Beam side of RecordingExampleGen: every recording is analysed, all are planned together, then windows are cut.

Analyses wait in memory while the plan is made: features of an hour are 15 MB. The audio does not wait: it is decoded a
second time when windows are cut, and they are written as they come. (TFX's own `WriteSplit` shuffles all examples
through memory first: gigabytes for an hour.)
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, TaggedOutput
from google.protobuf import struct_pb2
from tfx import types
from tfx.components.example_gen import base_example_gen_executor, utils, write_split
from tfx.components.util import examples_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_component_specs
from tfx.utils import proto_utils

from components.recording_example_gen.analysis import Analysis, analyse, make_tracker
from components.recording_example_gen.check import unread_entry
from components.recording_example_gen.config import ExtractionConfig
from components.recording_example_gen.examples import cut
from components.recording_example_gen.listing import list_recordings
from components.recording_example_gen.pitch import require
from components.recording_example_gen.plan import Plan, make_plan
from components.recording_example_gen.progress import HEARD_LOG
from components.recording_example_gen.report import IngestRefused, IngestReport, clock

SPLITS = ("train", "eval")
CONFIG_KEY = "extraction"  # in the Struct of CustomConfig
DATA_FILE = "data_tfrecord"


class Executor(base_example_gen_executor.BaseExampleGenExecutor):
    """Writes examples and the ingest report; raises IngestRefused where the recordings are not enough."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """See `RecordingExampleGen`.

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
        report = IngestReport.read(artifact.uri)
        if not report.would_run:
            raise IngestRefused(report)
        print(report.table())

    def GenerateExamplesByBeam(
        self, pipeline: beam.Pipeline, exec_properties: dict[str, Any]
    ) -> dict[str, beam.PCollection]:
        """Serialized examples by split. Recordings are divided before windows are cut, so there is nothing to hash."""
        config = example_gen_pb2.Input()
        proto_utils.json_to_proto(exec_properties[standard_component_specs.INPUT_CONFIG_KEY], config)
        to_examples = self.GetInputSourceToExamplePTransform()
        made = pipeline | "RecordingsToExamples" >> to_examples(exec_properties, config.splits[0].pattern)
        return {split: made[split] for split in SPLITS}

    def GetInputSourceToExamplePTransform(self) -> Any:
        """The transform from recordings to serialized examples, one output a split."""
        return recordings_to_examples


def extraction_config(exec_properties: dict[str, Any]) -> ExtractionConfig:
    """The configuration that travels as CustomConfig."""
    custom = example_gen_pb2.CustomConfig()
    proto_utils.json_to_proto(exec_properties[standard_component_specs.CUSTOM_CONFIG_KEY], custom)
    settings = struct_pb2.Struct()
    custom.custom_config.Unpack(settings)
    return ExtractionConfig.model_validate_json(settings[CONFIG_KEY])


@beam.ptransform_fn
def recordings_to_examples(
    pipeline: beam.Pipeline, exec_properties: dict[str, Any], split_pattern: str
) -> beam.pvalue.DoOutputsTuple:
    """Recordings -> examples, tagged "train" and "eval"; the ingest report goes to `report_uri`."""
    config = extraction_config(exec_properties)
    base = exec_properties[standard_component_specs.INPUT_BASE_KEY]
    listing = list_recordings(base, split_pattern, config.examples.span_window)
    unread = [(unread_entry(name), None) for name in listing.unread]
    analyses = (
        pipeline
        | "Recordings" >> beam.Create([(name, None) for name in listing.names])
        | "Spread" >> beam.GroupByKey()  # so that runners give recordings to different workers
        | "Names" >> beam.Keys()
        | "Analyse" >> beam.ParDo(AnalyseRecording(base, config))
    )
    plan = (
        analyses
        | "Summaries" >> beam.Map(lambda named: named[1].summary())
        | "All" >> beam.combiners.ToList()
        | "Plan" >> beam.Map(lambda summaries: make_plan([*summaries, *unread], config))
    )
    if exec_properties.get("report_uri"):
        _ = plan | "Report" >> beam.Map(_write_report, exec_properties["report_uri"])
    return analyses | "Cut" >> beam.ParDo(CutWindows(base, config), AsSingleton(plan)).with_outputs(*SPLITS)


def _write_report(plan: Plan, uri: str) -> None:
    plan.report.write(uri)


class AnalyseRecording(beam.DoFn):
    """Name of a recording -> (name, analysis)."""

    def __init__(self, base: str, config: ExtractionConfig):
        self._base, self._config = base, config

    def setup(self) -> None:
        """Loads the tracker once a worker."""
        self._tracker = make_tracker(self._config)

    def process(self, name: str) -> Iterator[tuple[str, Analysis]]:
        """Listens to one recording, and says so in the log: a runner on this machine shows it."""
        analysis = analyse(self._base, name, self._config, self._tracker)
        logging.getLogger(HEARD_LOG).info(
            "heard %s, %s", analysis.entry.recording, clock(analysis.entry.seconds or 0.0)
        )
        yield name, analysis


class CutWindows(beam.DoFn):
    """(name, analysis) -> serialized examples, tagged by split, as the plan says."""

    def __init__(self, base: str, config: ExtractionConfig):
        self._base, self._config = base, config

    def process(self, named: tuple[str, Analysis], plan: Plan) -> Iterable[TaggedOutput]:
        """Cuts one recording."""
        name, analysis = named
        cuts = plan.cuts.get(analysis.entry.recording)
        if cuts:
            for side, example in cut(self._base, name, analysis, cuts, self._config):
                yield TaggedOutput(side, example)
