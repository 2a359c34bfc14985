"""The last blessed model: the next one starts from it and is compared with it, so it has to exist and to match."""

from __future__ import annotations

import json
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from common.artifacts import serving_folder
from common.audio import AudioConfig
from common.errors import UserError
from models.saved_model.trained_model import INSTRUMENT_FILE
from pipeline.store.records import opened, properties


def check_last_blessed(metadata: Path, audio: AudioConfig) -> None:
    """Check, before a run begins, that its model can be compared with the last blessed one.

    Args:
      metadata: an intact SQLite metadata store; absent or empty where nothing was run yet.
      audio: of the run.

    Raises:
      UserError: the blessed model's files are gone, or its sample rate or frame rate is another.
    """
    if not metadata.exists() or not metadata.stat().st_size:
        return
    with opened(metadata) as store:
        folder = _last_blessed(store)
    if folder is not None:
        _check(folder, audio, metadata.parent)


def _check(folder: Path, audio: AudioConfig, output: Path) -> None:
    anew = f"move {output} away to start anew; what is pushed stays"
    description = serving_folder(folder) / INSTRUMENT_FILE
    try:
        before = AudioConfig.model_validate(json.loads(description.read_text(encoding="utf-8"))["config"]["audio"])
    except OSError as error:
        raise UserError(
            f"{description}: cannot be read ({error.strerror}). It describes the last blessed model, which a new "
            f"one is compared with: put it back, or {anew}"
        ) from None
    for name in ("sample_rate", "frame_rate"):
        old, new = getattr(before, name), getattr(audio, name)
        if old != new:
            raise UserError(
                f"audio.{name}: {new} Hz, and the last blessed model ({folder}) has {old} Hz: losses at two rates "
                f"cannot be compared. Give the run another --output, or {anew}"
            )


def _last_blessed(store: mlmd.MetadataStore) -> Path | None:
    """Return the folder of the newest model that the Evaluator blessed, as TFX's resolver finds it."""
    blessed = {
        blessing["current_model_id"]
        for blessing in map(properties, _live(store, "ModelBlessing"))
        if blessing.get("blessed") == 1 and "current_model_id" in blessing
    }
    models = [model for model in _live(store, "Model") if model.id in blessed]
    return Path(max(models, key=lambda model: model.id).uri) if models else None


def _live(store: mlmd.MetadataStore, kind: str) -> list[pb.Artifact]:
    try:
        return [artifact for artifact in store.get_artifacts_by_type(kind) if artifact.state == pb.Artifact.LIVE]
    except mlmd.errors.NotFoundError:
        return []
