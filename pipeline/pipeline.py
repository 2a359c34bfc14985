"""The pipeline of one instrument, from recordings to a published bundle. Runners only choose where it runs."""

from __future__ import annotations

from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.metadata import ConnectionConfigType
from tfx.orchestration.pipeline import Pipeline

from pipeline.configuration.beam import beam_arguments
from pipeline.configuration.config import Config
from pipeline.stages.browser_validator import make_browser_validator
from pipeline.stages.bundle_pusher import make_bundle_pusher
from pipeline.stages.data_gate import make_data_gate
from pipeline.stages.evaluator import make_evaluator
from pipeline.stages.last_blessed_model import make_last_blessed_model
from pipeline.stages.recording_example_gen import make_recording_example_gen
from pipeline.stages.schema_importer import make_schema_importer
from pipeline.stages.size_tuner import make_size_tuner
from pipeline.stages.statistics_gen import make_statistics_gen
from pipeline.stages.tfjs_exporter import make_tfjs_exporter
from pipeline.stages.trainer import make_trainer
from pipeline.stages.transform import make_transform


def create_pipeline(
    config: Config,
    *,
    recordings: str | RuntimeParameter,
    pipeline_root: str,
    push_destination: str | RuntimeParameter,
    checkpoint_root: str,
    layout: str | None = None,
    image: str | None = None,
    metadata: ConnectionConfigType | None = None,
) -> Pipeline:
    """Create the pipeline of an instrument, from recordings to a published bundle.

    Args:
      config: the whole resolved configuration.
      recordings: folder or URI of recordings, or of `span-N` folders of them.
      pipeline_root: folder or URI of all artifacts.
      push_destination: folder or URI of `pushed/`.
      checkpoint_root: stable folder or URI where an interrupted training resumes from.
      layout: of the recordings, a pattern of RecordingExampleGen; None reads it from the folder, which must exist then.
      image: container image with the project, where steps and workers run in one.
      metadata: connection to the metadata store, where the runner does not bring its own.

    Returns:
      A pipeline named after the instrument, since the last blessed model is looked up by pipeline name.
    """
    example_gen = make_recording_example_gen(config, recordings, layout)
    examples = example_gen.outputs["examples"]
    statistics_gen = make_statistics_gen(examples)
    schema_importer = make_schema_importer(config)
    data_gate = make_data_gate(config, statistics_gen.outputs["statistics"], schema_importer.outputs["statistics"])

    transform = make_transform(config, examples, schema_importer.outputs["schema"])
    transform.add_upstream_nodes([data_gate[-1]])  # nothing is learned from recordings that were refused
    transformed = transform.outputs["transformed_examples"]
    graph = transform.outputs["transform_graph"]
    tuner = [make_size_tuner(config, transformed, examples, graph, checkpoint_root)] if config.tuner.enabled else []
    last_blessed_model = make_last_blessed_model()
    trainer = make_trainer(
        config,
        transformed,
        graph,
        last_blessed_model.outputs["model"] if config.trainer.warm_start else None,
        tuner[0].outputs["best_hyperparameters"] if tuner else None,
        checkpoint_root,
    )
    model = trainer.outputs["model"]
    evaluator = make_evaluator(config, examples, model, last_blessed_model)

    exporter = make_tfjs_exporter(config, model, examples)
    validator = make_browser_validator(config, exporter.outputs["bundle"], model, examples)
    pusher = make_bundle_pusher(config, exporter, evaluator, validator, push_destination)
    return Pipeline(
        pipeline_name=config.instrument.name,
        pipeline_root=pipeline_root,
        components=[
            *(example_gen, statistics_gen, schema_importer, *data_gate),
            *(transform, *tuner, last_blessed_model, trainer, evaluator),
            *(exporter, validator, pusher),
        ],
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=beam_arguments(config.beam, image),
    )
