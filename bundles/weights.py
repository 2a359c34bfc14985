"""Weights in TensorFlow.js's format: one file of little-endian bytes and a list of entries that describe it.

A float16 entry is widened, a uint8 entry is `value * scale + min`; both give float32 in the browser. The bundle must
hold the weights that were judged, so a weight is stored narrower only where that loses no bit. Large tables that are
not trained (`rounded_tables`) are the one exception, where a graph allows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

Affine = tuple[float, float]  # scale, min
SMALL = 16  # integers; for fewer, the description of their quantisation costs more than it saves
TABLE = 1024  # numbers, or more
TABLE_SNR_DB = 70.0


def encode(name: str, value: np.ndarray, affine: Affine | None = None) -> tuple[dict[str, Any], bytes]:
    """Encode one weight in its shortest lossless form.

    Args:
      name: of the node that it belongs to.
      value: float32, int32 or bool, any shape.
      affine: scale and minimum of a float32 value that consists of 256 evenly spaced numbers.

    Returns:
      The entry of the weights manifest and the bytes.

    Raises:
      ValueError: the type is none of the three, or the value does not consist of the numbers of `affine`.
    """
    entry: dict[str, Any] = {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
    if value.dtype == np.int32 and value.size > SMALL and value.min() >= 0 and value.max() <= 255:
        return {**entry, "quantization": {"dtype": "uint8", "scale": 1, "min": 0}}, value.astype(np.uint8).tobytes()
    if value.dtype in (np.int32, np.bool_):
        return entry, value.astype(value.dtype.newbyteorder("<")).tobytes()
    if value.dtype != np.float32:
        raise ValueError(f"weight {name} is {value.dtype.name}; TensorFlow.js holds float32, int32 and bool")
    if affine is not None:
        stored = _affine_bytes(name, value, affine)
        return {**entry, "quantization": {"dtype": "uint8", "scale": affine[0], "min": affine[1]}}, stored
    if np.array_equal(_rounded(value), value, equal_nan=True):
        return {**entry, "quantization": {"dtype": "float16"}}, value.astype("<f2").tobytes()
    return entry, value.astype("<f4").tobytes()


def _affine_bytes(name: str, value: np.ndarray, affine: Affine) -> bytes:
    scale, minimum = affine
    steps = np.clip(np.round((value.astype(np.float64) - minimum) / scale), 0, 255).astype(np.uint8)
    if not np.array_equal(_from_affine(steps, affine), value):
        raise ValueError(f"weight {name} does not consist of 256 steps of {scale} from {minimum}")
    return steps.tobytes()


def _from_affine(steps: np.ndarray, affine: Affine) -> np.ndarray:
    return (steps.astype(np.float64) * affine[0] + affine[1]).astype(np.float32)


def rounded_tables(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Round large tables of floats to float16 where that costs less than -70 dB of a table; keep all other weights.

    Args:
      weights: by name, of any shape and type.

    Returns:
      The same names, shapes and types.
    """
    return {name: _rounded(value) if _is_table(value) else value for name, value in weights.items()}


def _is_table(value: np.ndarray) -> bool:
    if value.dtype != np.float32 or value.size < TABLE or not np.isfinite(value).all():
        return False
    error = np.sum(np.square(value - _rounded(value), dtype=np.float64))
    return bool(error < 10.0 ** (-TABLE_SNR_DB / 10.0) * np.sum(np.square(value, dtype=np.float64)))


def _rounded(value: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return value.astype(np.float16).astype(np.float32)


def pack(weights: Mapping[str, np.ndarray], affine: Mapping[str, Affine]) -> tuple[list[dict[str, Any]], bytes]:
    """Encode all weights one after the other.

    Args:
      weights: by name, of any shape.
      affine: by name, scale and minimum of those that are stored as one byte a number.

    Returns:
      Entries of the manifest, and the bytes of the one file.
    """
    encoded = [encode(name, value, affine.get(name)) for name, value in weights.items()]
    return [entry for entry, _ in encoded], b"".join(stored for _, stored in encoded)


def unpack(entries: list[dict[str, Any]], stored: bytes) -> dict[str, np.ndarray]:
    """Decode the values that TensorFlow.js computes with. The inverse of `pack`.

    Args:
      entries: of the manifest: name, shape and type of each weight, in the order of the bytes.
      stored: the bytes of the file.

    Returns:
      Weights by name, of the shape and type of their entry.

    Raises:
      ValueError: the bytes are fewer or more than the entries need.
    """
    values, offset = {}, 0
    for entry in entries:
        stored_type = entry.get("quantization", {}).get("dtype", entry["dtype"])
        dtype = np.dtype(stored_type).newbyteorder("<")
        count = int(np.prod(entry["shape"]))
        if offset + count * dtype.itemsize > len(stored):
            raise ValueError(f"weights end at byte {len(stored)}, in the middle of {entry['name']}")
        raw = np.frombuffer(stored, dtype, count, offset).reshape(entry["shape"])
        offset += count * dtype.itemsize
        values[entry["name"]] = _widen(raw, entry)
    if offset != len(stored):
        raise ValueError(f"weights are {len(stored)} bytes long; their entries describe {offset}")
    return values


def _widen(raw: np.ndarray, entry: Mapping[str, Any]) -> np.ndarray:
    quantization = entry.get("quantization")
    if quantization and quantization["dtype"] in ("uint8", "uint16"):
        return _from_affine(raw, (quantization["scale"], quantization["min"])).astype(entry["dtype"])
    return raw.astype(entry["dtype"])


def read(folder: Path, manifest: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Read the weights of a graph model.

    Args:
      folder: of its model.json.
      manifest: the `weightsManifest` of its model.json.

    Returns:
      Weights by name, of the shape and type of their entry.
    """
    values: dict[str, np.ndarray] = {}
    for group in manifest:
        stored = b"".join((folder / path).read_bytes() for path in group["paths"])
        values.update(unpack(group["weights"], stored))
    return values
