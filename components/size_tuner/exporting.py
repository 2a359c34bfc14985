"""The true size of a trained configuration: its bundle, written as TfjsExporter writes it, and measured."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from bundles.manifest import download
from components.size_tuner.job import SearchJob
from components.tfjs_exporter.assemble import Provenance, write_bundle
from components.tfjs_exporter.convert import convert
from models.dataset_summary import DatasetSummary
from models.saved_model.trained_model import read_trained_model


def exported_size(saved_model: Path, job: SearchJob, dataset: DatasetSummary) -> tuple[int, int]:
    """Export a bundle and count the bytes that a page downloads for `controls`, raw and after gzip.

    The manifest among them quotes the settings of a search, a little fewer than a published one.

    Args:
      saved_model: folder that `models.saved_model.signatures.save` wrote.
      job: of the search.
      dataset: that it was trained on.
    """
    configuration = json.dumps(job.model_dump(mode="json", exclude={"checkpoint_root"}))
    with tempfile.TemporaryDirectory(prefix="swara-size-") as scratch:
        converted, bundle = Path(scratch) / "converted", Path(scratch) / "bundle"
        manifest = write_bundle(
            bundle,
            converted,
            convert(saved_model, converted, ("controls", "full")),
            read_trained_model(saved_model),
            dataset,
            Provenance(configuration, source_revision="0" * 40),
            datetime.now(timezone.utc),
        )
    size = download(manifest, ["controls"])
    return size["bytes"], size["gzip_bytes"]
