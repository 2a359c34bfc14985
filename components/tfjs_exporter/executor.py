"""The executor of TfjsExporter."""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils

from bundles.manifest import content_hash, download
from common.artifacts import serving_folder
from components.tfjs_exporter.assemble import Provenance, write_bundle
from components.tfjs_exporter.convert import convert
from models.dataset_summary import summarise_dataset
from models.saved_model.trained_model import read_trained_model

Artifacts = dict[str, list[types.Artifact]]


class Executor(base_executor.BaseExecutor):
    """Reads model and examples, writes the bundle."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        """Export a bundle; see `TfjsExporter` for inputs and outputs."""
        self._log_startup(input_dict, output_dict, exec_properties)
        saved_model = serving_folder(artifact_utils.get_single_uri(input_dict["model"]))
        train, evaluation = (
            Path(artifact_utils.get_split_uri(input_dict["examples"], split)) for split in ("train", "eval")
        )
        bundle = artifact_utils.get_single_instance(output_dict["bundle"])
        trained = read_trained_model(saved_model)
        with tempfile.TemporaryDirectory(prefix="swara-export-") as scratch:
            manifest = write_bundle(
                serving_folder(bundle.uri),
                Path(scratch),
                convert(saved_model, Path(scratch), ("controls", "full")),
                trained,
                summarise_dataset(train, evaluation, trained.audio.window_seconds, "rms" in trained.model.inputs),
                Provenance(exec_properties["config"], exec_properties["source_revision"]),
                datetime.now(timezone.utc),
            )
        bundle.set_string_custom_property("content_hash", content_hash(manifest))
        bundle.set_int_custom_property("download_gzip_bytes", download(manifest, ["controls"])["gzip_bytes"])
