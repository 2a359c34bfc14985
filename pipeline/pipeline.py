"""The pipeline of one instrument, from recordings to a published bundle. Runners only choose where it runs."""

from __future__ import annotations

from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.metadata import ConnectionConfigType
from tfx.orchestration.pipeline import Pipeline

from pipeline.configuration.beam import beam_arguments
from pipeline.configuration.config import Config
from pipeline.stages import ingestion as data
from pipeline.stages import publishing, training


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
    """Wire every stage.

    Args:
      config: the whole resolved configuration.
      recordings: folder or URI of recordings, or of `span-N` folders of them.
      pipeline_root: folder or URI of all artifacts.
      push_destination: folder or URI of `pushed/`.
      checkpoint_root: stable folder or URI where an interrupted training resumes from.
      layout: of the recordings, a pattern of RecordingExampleGen; None finds out, which needs `recordings` to be there.
      image: container image with the project, where steps and workers run in one.
      metadata: connection to the metadata store, where the runner does not bring its own.

    Returns:
      A pipeline named after the instrument, since the last blessed model is looked up by pipeline name.
    """
    example_gen = data.make_example_gen(config, recordings, layout)
    examples = example_gen.outputs["examples"]
    statistics_gen = data.make_statistics_gen(examples)
    schema_importer = data.make_schema_importer(config)
    data_gate = data.make_data_gate(config, statistics_gen.outputs["statistics"], schema_importer.outputs["statistics"])

    transform = training.make_transform(config, examples, schema_importer.outputs["schema"])
    transform.add_upstream_nodes([data_gate[-1]])  # nothing is learned from recordings that were refused
    transformed = transform.outputs["transformed_examples"]
    graph = transform.outputs["transform_graph"]
    tuner = [training.make_tuner(config, transformed, graph, checkpoint_root)] if config.tuner.enabled else []
    last_blessed = training.make_last_blessed()
    trainer = training.make_trainer(
        config,
        transformed,
        graph,
        last_blessed.outputs["model"] if config.trainer.warm_start else None,
        tuner[0].outputs["best_hyperparameters"] if tuner else None,
        checkpoint_root,
    )
    model = trainer.outputs["model"]
    evaluator = training.make_evaluator(config, examples, model, last_blessed.outputs["model"])

    exporter = publishing.make_exporter(config, model, examples)
    validator = publishing.make_browser_validator(config, exporter.outputs["bundle"], model, examples)
    pusher = publishing.make_pusher(config, exporter, evaluator, validator, push_destination)
    return Pipeline(
        pipeline_name=config.instrument.name,
        pipeline_root=pipeline_root,
        components=[
            *(example_gen, statistics_gen, schema_importer, *data_gate),
            *(transform, *tuner, last_blessed, trainer, evaluator),
            *(exporter, validator, pusher),
        ],
        enable_cache=True,
        metadata_connection_config=metadata,
        beam_pipeline_args=beam_arguments(config.beam, image),
    )
