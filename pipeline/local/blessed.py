"""The last blessed model: the next one goes on at its sample rate, starts from it and is compared with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2 as pb

from common.artifacts import serving_folder
from common.audio import AudioConfig
from common.errors import UserError
from models.saved_model.trained_model import INSTRUMENT_FILE
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load
from pipeline.store.folders import RunFolders
from pipeline.store.moved import where_now
from pipeline.store.records import check_store, opened, properties


@dataclass(frozen=True)
class LastBlessed:
    """The newest model of an instrument that the Evaluator blessed.

    Attributes:
      folder: of the model.
      audio: its rates.
      loss: settings of the loss that it was judged by, JSON values.
    """

    folder: Path
    audio: AudioConfig
    loss: Mapping[str, Any]

    def difference(self, config: Config) -> str | None:
        """Return why a model of this configuration cannot be compared with it, or None."""
        for name in ("sample_rate", "frame_rate"):
            old, new = getattr(self.audio, name), getattr(config.audio, name)
            if old != new:
                return f"audio.{name} is {new} Hz, and the last blessed model has {old} Hz"
        if self.loss != config.loss.model_dump(mode="json"):
            return "the last blessed model was judged by another loss"
        return None


def load_continuing(folders: RunFolders, overrides: Sequence[str], *, retraining: bool = False) -> Config:
    """Resolve a configuration as `load` does; where no sample rate is given, it is that of the last blessed model.

    So what was begun at 16 kHz goes on, though the default is another. A line on standard error states it.

    Args:
      folders: of the instrument, with its name.
      overrides, retraining: as for `load`.

    Raises:
      UserError: a mistake in the configuration, a damaged metadata store, or the blessed model's files are gone.
    """
    instrument = folders.name
    config = load(instrument, overrides, retraining=retraining)
    check_store(folders.metadata, folders.pipeline_root)
    before = last_blessed(folders)
    if before is None:
        return config
    default, rate = config.audio.sample_rate, before.audio.sample_rate
    inherited = ("the last blessed model", {"audio": {"sample_rate": rate}})
    config = load(instrument, overrides, retraining=retraining, inherited=inherited)
    if config.audio.sample_rate != default:
        print(
            f"{instrument}: goes on at {rate} Hz, as the last blessed model; --set audio.sample_rate={default} begins "
            "a new line beside it",
            file=sys.stderr,
        )
    return config


def compared(config: Config, folders: RunFolders) -> Config:
    """Return the configuration of a run, without the comparison with the last blessed model where that is impossible.

    A line on standard error then states why. What is served stays until a model of the new line is blessed.

    Args:
      config: of the run.
      folders: of the instrument; its metadata store is intact, absent or empty.

    Raises:
      UserError: the blessed model's files are gone.
    """
    before = last_blessed(folders)
    reason = before.difference(config) if before else None
    if reason is None:
        return config
    print(f"{config.instrument.name}: begins a new line, judged by absolute limits alone: {reason}", file=sys.stderr)
    evaluator = config.evaluator.model_copy(update={"against_last_blessed": False})
    return config.model_copy(update={"evaluator": evaluator})


def last_blessed(folders: RunFolders) -> LastBlessed | None:
    """Read the rates and the loss of the last blessed model; None where there is none.

    Args:
      folders: as for `compared`; they may have been moved since the model was made.

    Raises:
      UserError: its files are gone.
    """
    metadata = folders.metadata
    if not metadata.exists() or not metadata.stat().st_size:
        return None
    with opened(metadata) as store:
        uri = _newest(store)
    if uri is None:
        return None
    folder = Path(where_now(uri, folders))
    description = serving_folder(folder) / INSTRUMENT_FILE
    try:
        settings = json.loads(description.read_text(encoding="utf-8"))["config"]
    except OSError as error:
        raise UserError(
            f"{description}: cannot be read ({error.strerror}). It describes the last blessed model, which a new "
            f"one is compared with: put it back, or move {metadata.parent} away to start anew; what is pushed stays"
        ) from None
    return LastBlessed(folder, AudioConfig.model_validate(settings["audio"]), settings["loss"])


def _newest(store: mlmd.MetadataStore) -> str | None:
    """Return the URI of the newest model that the Evaluator blessed, as TFX's resolver finds it."""
    blessed = {
        blessing["current_model_id"]
        for blessing in map(properties, _live(store, "ModelBlessing"))
        if blessing.get("blessed") == 1 and "current_model_id" in blessing
    }
    models = [model for model in _live(store, "Model") if model.id in blessed]
    return str(max(models, key=lambda model: model.id).uri) if models else None


def _live(store: mlmd.MetadataStore, kind: str) -> list[pb.Artifact]:
    try:
        return [artifact for artifact in store.get_artifacts_by_type(kind) if artifact.state == pb.Artifact.LIVE]
    except mlmd.errors.NotFoundError:
        return []
