"""The cost of playing a model: bytes to download, multiplications a frame. Estimated, without exporting it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bundles import impulse_response as reverb
from bundles.manifest import gzip_size
from models.instrument import Instrument
from models.network.decoders import DECODER_PREFIX
from models.saved_model.precision import fit_affine

# The manifest and the graph, fitted to bundles that sweeps exported: bytes, and bytes a tensor.
RAW_BASE, RAW_PER_TENSOR = 19_000, 560
GZIP_BASE, GZIP_PER_TENSOR = 5_900, 45


@dataclass(frozen=True)
class Footprint:
    """Sizes of one model.

    Attributes:
      parameters: of the network and the reverb.
      raw_bytes: that a page downloads for `controls`, about.
      gzip_bytes: the same, compressed, about.
      multiply_adds_per_frame: of the network; one that runs on every second frame has half of its own.
    """

    parameters: int
    raw_bytes: int
    gzip_bytes: int
    multiply_adds_per_frame: float


def footprint(instrument: Instrument) -> Footprint:
    """Estimate the sizes that an instrument's bundle would have, within a few hundred bytes."""
    weights = instrument.weights()
    network = {name: value for name, value in weights.items() if name.startswith(DECODER_PREFIX)}
    stored = b"".join(_stored(value, instrument.model.precision) for value in network.values())
    taps = _taps(instrument)
    multiplied = sum(value.size for value in network.values() if value.ndim > 1)
    return Footprint(
        parameters=sum(value.size for value in weights.values()),
        raw_bytes=RAW_BASE + RAW_PER_TENSOR * len(network) + len(stored) + len(taps),
        gzip_bytes=GZIP_BASE + GZIP_PER_TENSOR * len(network) + gzip_size(stored) + gzip_size(taps),
        multiply_adds_per_frame=multiplied / instrument.model.decoder.hold,
    )


def _taps(instrument: Instrument) -> bytes:
    if instrument.graph.reverb is None:
        return b""
    response = {name: value.numpy() for name, value in instrument.graph.reverb.shipped().items()}
    described = reverb.describe(response, instrument.audio.sample_rate)
    return b"" if described is None else described[0]


def _stored(value: np.ndarray, precision: str) -> bytes:
    if precision == "float16":
        return value.astype("<f2").tobytes()
    scale, minimum = fit_affine(value)
    return np.clip(np.round((value - minimum) / scale), 0, 255).astype(np.uint8).tobytes()
