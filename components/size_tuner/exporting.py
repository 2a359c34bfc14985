"""The true size of a trained configuration: its bundle, written as TfjsExporter writes it, and measured."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from components.tfjs_exporter.bundle import Provenance, write_bundle
from components.tfjs_exporter.convert import convert
from components.tfjs_exporter.dataset import Dataset
from components.tfjs_exporter.manifest import download
from components.tfjs_exporter.trained import read_trained
from models.job import Job


def exported_size(saved_model: Path, job: Job, dataset: Dataset) -> tuple[int, int]:
    """Bytes that a page downloads for `controls`, raw and after gzip.

    The manifest among them quotes the settings that a search knows, a little fewer than a published one.

    Args:
      saved_model: folder that `models.signatures.save` wrote.
      job: of the search.
      dataset: what it was trained on.
    """
    configuration = json.dumps(job.model_dump(mode="json", exclude={"checkpoint_root"}))
    with tempfile.TemporaryDirectory(prefix="swara-size-") as scratch:
        converted, bundle = Path(scratch) / "converted", Path(scratch) / "bundle"
        manifest = write_bundle(
            bundle,
            converted,
            convert(saved_model, converted, ("controls", "full")),
            read_trained(saved_model),
            dataset,
            Provenance(configuration, source_revision="0" * 40),
            datetime.now(timezone.utc),
        )
    size = download(manifest, ["controls"])
    return size["bytes"], size["gzip_bytes"]
