"""Read a bundle back into Python: the instrument that a page plays, from the very bytes that a page loads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bundles import impulse_response as reverb
from bundles import manifest as manifests
from bundles.manifest import InvalidBundle
from bundles.publish import resolve
from bundles.versions import load_intact
from common.audio import AudioConfig
from common.errors import UserError
from common.features import F0_HZ, LOUDNESS_DB, RMS_ENERGY
from common.loudness import amplitude_to_db
from common.pitch import hz_to_midi
from common.text import one_line
from models.config import ModelConfig
from models.instrument import Instrument
from models.voice.statistics import DatasetStatistics

Array = npt.NDArray[np.float32]

IMPULSE_RESPONSE = "reverb/ir"  # the instrument's variable


@dataclass(frozen=True)
class Bundle:
    """An instrument as it ships.

    Attributes:
      folder: of its manifest.
      manifest: follows `bundles/manifest.schema.json`.
      instrument: with the bundle's own, dequantised weights. Every kind of reverb ships as an impulse response, so here
        it is a reverb of free taps.
      impulse_response: [taps], without the dry signal; no taps where there is no reverb.
      statistics: pitch and loudness of the recordings.
    """

    folder: Path
    manifest: Mapping[str, Any]
    instrument: Instrument
    impulse_response: Array
    statistics: DatasetStatistics

    def features(self, f0_hz: Array, loudness_db: Array, rms_energy: Array) -> dict[str, Array]:
        """Compute the instrument's features: f0, and each network input, standardised by the manifest's statistics.

        Args:
          f0_hz: Hz, any shape.
          loudness_db: A-weighted dB, the same shape.
          rms_energy: linear, the same shape.

        Returns:
          By name, float32, the same shape: `f0_hz` in Hz, and the network inputs without a unit.
        """
        sources = {
            F0_HZ: hz_to_midi(np.maximum(f0_hz, 1.0)),
            LOUDNESS_DB: loudness_db,
            RMS_ENERGY: amplitude_to_db(rms_energy),
        }
        inputs = {
            entry["name"]: ((sources[entry["feature"]] - entry["mean"]) / entry["deviation"]).astype(np.float32)
            for entry in self.manifest["network"]["inputs"]
        }
        return {F0_HZ: np.asarray(f0_hz, np.float32), **inputs}


def load(path: Path) -> Bundle:
    """Load a bundle, after checking it against its schema and its version, and every file against its hash.

    Args:
      path: `pushed/NAME` (the version that is served), `pushed/NAME/VERSION`, or any folder with a manifest.

    Raises:
      UserError: there is no bundle, its format is not known here, or a file is missing or damaged; the message names
        the file.
    """
    folder = resolve(path)
    try:
        manifest = load_intact(folder)
        impulse_response = _impulse_response(folder, manifest["reverb"])
        statistics = DatasetStatistics.from_json(manifest["statistics"])
        instrument = _instrument(folder, manifest, impulse_response)
        return Bundle(folder, manifest, instrument, impulse_response, statistics)
    except InvalidBundle as error:
        raise UserError(f"{error}; get the bundle again, or publish it again with `run`") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / manifests.MANIFEST_FILE}: does not describe an instrument that can be played here: "
            + one_line(" ".join(str(error).split()), 500)
        ) from None


def _instrument(folder: Path, manifest: Mapping[str, Any], impulse_response: Array) -> Instrument:
    model = dict(manifest["model"])
    model["processors"] = [_with_free_reverb(processor) for processor in model["processors"]]
    audio = AudioConfig.model_validate(manifest["configuration"]["audio"])
    instrument = Instrument(ModelConfig.model_validate(model), audio)
    if list(instrument.graph.reverbs) not in ([], [instrument.graph.audio_name]):
        raise ValueError("its reverb is not the last processor of its chain")
    weights = _tensors(folder, manifest["network"]["tensors"])
    if IMPULSE_RESPONSE in instrument.variables_by_name:
        taps = int(instrument.variables_by_name[IMPULSE_RESPONSE].shape[0])
        inaudible = taps - len(impulse_response)  # the end of it, which did not ship
        weights[IMPULSE_RESPONSE] = np.pad(impulse_response, (0, inaudible))
    instrument.set_weights(weights)
    return instrument


def _with_free_reverb(processor: Mapping[str, Any]) -> dict[str, Any]:
    if not processor["type"].startswith("reverb_"):
        return dict(processor)
    return {"type": "reverb_free", **{key: processor[key] for key in ("name", "seconds", "inputs")}}


def _tensors(folder: Path, described: list[dict[str, Any]]) -> dict[str, Array]:
    """Read the network's weights by name, as an engine does: by file, offset, type, scale and minimum."""
    tensors = {}
    for entry in described:
        path, dtype = folder / entry["file"], np.dtype(entry["dtype"]).newbyteorder("<")
        count = math.prod(entry["shape"])
        end = entry["offset"] + count * dtype.itemsize
        if end > path.stat().st_size:  # before memory is taken
            raise ValueError(f"{entry['name']} ends at byte {end} of {entry['file']}, which has {path.stat().st_size}")
        values = np.fromfile(path, dtype, count, offset=entry["offset"]).reshape(entry["shape"])
        with np.errstate(over="ignore", invalid="ignore"):
            if "scale" in entry:
                values = values.astype(np.float64) * entry["scale"] + entry["min"]
            tensors[entry["name"]] = _finite(values.astype(np.float32), f"{entry['file']}: {entry['name']}")
    return tensors


def _finite(values: Array, name: str) -> Array:
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds a value that is not finite")
    return values


def _impulse_response(folder: Path, described: Mapping[str, Any] | None) -> Array:
    if described is None:
        return np.zeros(0, np.float32)
    taps = reverb.decode((folder / described["file"]).read_bytes())
    if len(taps) != described["taps"]:
        raise ValueError(f"{described['file']} holds {len(taps)} taps, not {described['taps']}")
    return _finite(np.asarray(taps, np.float32), described["file"])
