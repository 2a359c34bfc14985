"""Read a bundle back into Python: the instrument that a page plays, from the very bytes that a page loads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from bundles import impulse_response as reverb
from bundles import manifest as manifests
from bundles.manifest import InvalidBundle
from bundles.publish import resolve
from bundles.versions import load_intact
from common.audio import AudioConfig
from common.errors import UserError
from common.text import one_line
from data.features.statistics import DatasetStatistics
from player.description import Described, expected_shapes

Array = npt.NDArray[np.float32]

MOST_REVERB_SECONDS = 4


@dataclass(frozen=True)
class Bundle:
    """An instrument as it ships.

    Attributes:
      folder: of its manifest.
      manifest: follows `bundles/manifest.schema.json`.
      audio: rates.
      described: the manifest's network and synthesiser.
      tensors: of the network, by name, dequantised.
      impulse_response: [taps], without the dry signal; no taps where there is no reverb.
      statistics: pitch and loudness of the recordings.
    """

    folder: Path
    manifest: Mapping[str, Any]
    audio: AudioConfig
    described: Described
    tensors: Mapping[str, Array]
    impulse_response: Array
    statistics: DatasetStatistics


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
        rates = {key: manifest["audio"][key] for key in ("sample_rate", "frame_rate")}
        audio = AudioConfig.model_validate({**rates, "window_seconds": 1})  # windows are for training
        described = Described.model_validate(manifest)
        _check_rates(audio, manifest, described)
        impulse_response = _impulse_response(folder, manifest["reverb"])
        statistics = DatasetStatistics.from_json(manifest["statistics"])
        tensors = _network_tensors(folder, manifest, described)
        return Bundle(folder, manifest, audio, described, tensors, impulse_response, statistics)
    except InvalidBundle as error:
        raise UserError(f"{error}; get the bundle again, or publish it again with `run`") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / manifests.MANIFEST_FILE}: does not describe an instrument that can be played here: "
            + one_line(" ".join(_reason(error).split()), 500)
        ) from None


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    [first, *_] = error.errors()
    return f"{'/'.join(map(str, first['loc']))}: {first['msg']}"


def _check_rates(audio: AudioConfig, manifest: Mapping[str, Any], described: Described) -> None:
    hop = manifest["audio"]["hop"]
    if hop != audio.hop:
        raise ValueError(f"audio: {audio.frame_rate} frames of {hop} samples are not {audio.sample_rate} samples")
    if (described.synthesiser.sample_rate, described.synthesiser.hop) != (audio.sample_rate, hop):
        raise ValueError("synthesiser: has rates of its own")
    hold = audio.frame_rate / described.network.frame_rate
    if not 1 <= hold <= 8 or hold % 1:
        raise ValueError("network: its frame rate is no whole share of the audio's, from 1 to 1/8")


def _network_tensors(folder: Path, manifest: Mapping[str, Any], described: Described) -> dict[str, Array]:
    """Read the network's weights; they must be those of the network that is described, and no others."""
    expected = expected_shapes(described.network)
    listed = {entry["name"]: tuple(entry["shape"]) for entry in manifest["network"]["tensors"]}
    for name in sorted(expected.keys() | listed.keys()):
        if expected.get(name) != listed.get(name):
            found, wanted = listed.get(name, "absent"), expected.get(name, "of this network")
            raise ValueError(f"weights of another instrument: {name} is {found}, not {wanted}")
    return _tensors(folder, manifest["network"]["tensors"])


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
    longest = max(described["taps"], described.get("trained_taps", 0))
    if longest > MOST_REVERB_SECONDS * described["sample_rate"]:
        raise ValueError(f"reverb: {longest} taps are more than {MOST_REVERB_SECONDS} s")
    taps = reverb.assemble((folder / described["file"]).read_bytes(), described)
    return _finite(np.asarray(taps, np.float32), described["file"])
