"""The real gates refuse a model that is worse, broken or silent, and what is served stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from models.instrument import Instrument
from pipeline.local.outcome import Outcome, read_outcome
from pipeline.stages.browser_validator import make_browser_validator
from pipeline.stages.bundle_pusher import make_bundle_pusher
from pipeline.stages.evaluator import make_evaluator
from pipeline.stages.last_blessed_model import make_last_blessed_model
from pipeline.stages.tfjs_exporter import make_tfjs_exporter
from tests.integration.conftest import Workshop, imported, small_config

pytestmark = pytest.mark.slow

Change = Callable[[Instrument], None]


def broken(instrument: Instrument) -> None:
    """One weight is NaN."""
    variable = instrument.trainable_variables[0]
    value = variable.numpy()
    value.flat[0] = np.nan
    variable.assign(value)


def silent(instrument: Instrument) -> None:
    """Every output of the network is as low as it can be."""
    for name, variable in instrument.variables_by_name.items():
        if name.startswith("decoder/"):
            variable.assign(np.full(variable.shape, -30.0 if "bias" in name else 0.0))


def worse(instrument: Instrument) -> None:
    """Nothing that was learned is left."""
    random = np.random.default_rng(0)
    for variable in instrument.trainable_variables:
        variable.assign(variable.numpy() * random.normal(0.0, 1.5, variable.shape))


@pytest.mark.parametrize("change", [worse, broken, silent])
def test_a_bad_model_is_refused(workshop: Workshop, tmp_path: Path, change: Change):
    before = workshop.latest()
    outcome = judged(workshop, tmp_path, change)
    evaluator = next(verdict for verdict in outcome.verdicts if verdict.gate == "Evaluator")
    assert not evaluator.blessed
    assert evaluator.reasons
    assert not outcome.pushed
    assert workshop.latest() == before


def judged(workshop: Workshop, folder: Path, change: Change) -> Outcome:
    """Sends a changed copy of the last model through the Evaluator, the export, the browser and the Pusher."""
    from models.baseline import fit_baseline
    from models.saved_model import signatures
    from models.training.window_store import read_windows

    config, folders = small_config(), workshop.folders
    made = workshop.made[0].artifacts
    trained = made["Trainer"]["model"].uri / "Format-Serving"
    instrument = signatures.load_instrument(str(trained))
    change(instrument)
    graph = made["Transform"]["transform_graph"].uri
    files = sorted(str(path) for path in (made["Transform"]["transformed_examples"].uri / "Split-train").iterdir())
    features = ("f0_hz", "f0_confidence", "loudness_db")
    signatures.save(
        instrument,
        transform_graph=str(graph),
        baseline=fit_baseline(read_windows(files, config.audio, features).sample(8), instrument.graph),
        loss=config.loss,
        folder=str(folder / "model" / "Format-Serving"),
        training={"steps": 0, "examples": 0, "eval_loss": 0.0, "seconds": 0.0, "seed": 0},
    )
    model = imported(standard_artifacts.Model, folder / "model", "ChangedModel")
    examples = imported(
        standard_artifacts.Examples,
        made["RecordingExampleGen"]["examples"].uri,
        "Examples",
        split_names='["train", "eval"]',
    )
    last_blessed = make_last_blessed_model()
    evaluator = make_evaluator(config, examples.outputs["result"], model.outputs["result"], last_blessed)
    exporter = make_tfjs_exporter(config, model.outputs["result"], examples.outputs["result"])
    validator = make_browser_validator(
        config, exporter.outputs["bundle"], model.outputs["result"], examples.outputs["result"]
    )
    pusher = make_bundle_pusher(config, exporter, evaluator, validator, str(folders.pushed))
    pipeline = Pipeline(
        pipeline_name=folders.name,
        pipeline_root=str(folders.pipeline_root),
        components=[examples, model, last_blessed, evaluator, exporter, validator, pusher],
        metadata_connection_config=sqlite_metadata_connection_config(str(folders.metadata)),
    )
    LocalDagRunner().run(pipeline)
    return read_outcome(folders)
