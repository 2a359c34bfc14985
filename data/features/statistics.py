"""Statistics of recordings: note detection, pitch and loudness statistics, loudness quantiles.

An instrument's manifest carries them, and `player/adjust.py` moves a voice onto them. The definitions
are those of ddsp 3.7.0 (`training/postprocessing.py`: smooth, detect_notes, QuantileTransformer,
compute_dataset_statistics); where ddsp gives NaN (silence, a constant level, clips shorter than its smoothing window)
the docstrings here define the result. NumPy only: every step is plain arithmetic, so that the browser can repeat
it from the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from common.features import F0_CONFIDENCE, F0_HZ, LOUDNESS_DB
from common.loudness import FLOOR_DB
from common.pitch import hz_to_midi

Array = npt.NDArray[Any]

SMOOTHING_FRAMES = 40  # 160 ms at 250 frames per second
CONFIDENCE_THRESHOLD = 0.7
TRIMMED_FRAMES = 20  # f0 and loudness of an example's last 80 ms are made from padding
N_QUANTILES = 1000
MANIFEST_QUANTILES = 101
MANIFEST_ERROR_DB = 0.5  # by which no rank's loudness may lie beside that of all quantiles
MANIFEST_SHARE_DECIMALS = 4
SEMITONES = 128
MANIFEST_DECIMALS = 3  # a thousandth of a dB or of a semitone

Distribution = Literal["uniform", "normal"]


def smooth(x: npt.ArrayLike, frames: int) -> Array:
    """Compute a moving average over the last axis, with zeros beyond both ends.

    Frame t averages frames t - (frames - 1) // 2 up to and including t + frames // 2 (TensorFlow's SAME padding).

    Args:
      x: shape [..., time].
      frames: length of the window, at least 1.

    Returns:
      float64, shape [..., time].
    """
    x = np.asarray(x, np.float64)
    time = x.shape[-1]
    edge = [(0, 0)] * (x.ndim - 1)
    sums = np.cumsum(np.pad(x, [*edge, ((frames - 1) // 2 + 1, frames // 2)]), axis=-1)
    return (sums[..., frames : frames + time] - sums[..., :time]) / frames


def detect_notes(
    loudness_db: npt.ArrayLike, f0_confidence: npt.ArrayLike, threshold: float = 1.0
) -> tuple[Array, Array]:
    """Detect the frames in which a note sounds: loud enough for this recording, and confidently pitched for a while.

    The ratio is smooth(confidence ** 2) * (loudness + 80), divided by 0.7 ** 2 * (mean loudness + 80), where the mean
    is taken over all frames. Where nothing rises above -80 dB the ratio is 0, so no note is on. A clip shorter
    than the smoothing window is smoothed over its own length.

    Args:
      loudness_db: shape [..., time], at least -80 dB.
      f0_confidence: in [0, 1], of the same shape.
      threshold: a note is on where the ratio is at least this.

    Returns:
      The mask (bool) and the ratio, both of shape [..., time].
    """
    confidence = np.asarray(f0_confidence, np.float64)
    height = np.asarray(loudness_db, np.float64) - FLOOR_DB
    if height.size == 0:
        return np.zeros(height.shape, bool), np.zeros(height.shape)
    typical = np.mean(height) * CONFIDENCE_THRESHOLD**2
    if typical <= 0.0:
        return np.zeros(height.shape, bool), np.zeros(height.shape)
    ratio = smooth(confidence**2, min(SMOOTHING_FRAMES, height.shape[-1])) * height / typical
    return ratio >= threshold, ratio


@dataclass(frozen=True)
class QuantileTransformer:
    """Maps values to their rank in a distribution, and ranks back to values (scikit-learn's transformer of this name).

    Attributes:
      quantiles: shape [n], never falling; entry i is the value below which the share i / (n - 1) of the data lies.
      distribution: of ranks: `uniform` in [0, 1], or `normal` (mean 0, deviation 1, cut at 5.2).
    """

    quantiles: Array
    distribution: Distribution = "uniform"

    @classmethod
    def fit(
        cls, x: npt.ArrayLike, n_quantiles: int = N_QUANTILES, distribution: Distribution = "uniform"
    ) -> QuantileTransformer:
        """Fit to the quantiles of all values of x (any shape), at most as many as there are values.

        Raises:
          ValueError: x is empty.
        """
        values = np.ravel(np.asarray(x, np.float64))
        if values.size == 0:
            raise ValueError("quantiles of no values at all: give at least one")
        references = np.linspace(0.0, 1.0, max(1, min(n_quantiles, values.size)))
        # Interpolation inside np.quantile may fall by one unit in the last place.
        return cls(np.maximum.accumulate(np.quantile(values, references)), distribution)

    @property
    def references(self) -> Array:
        """Rank of every quantile. Shape [n], from 0 to 1."""
        return np.linspace(0.0, 1.0, len(self.quantiles))

    def transform(self, x: npt.ArrayLike) -> Array:
        """Convert values to ranks. Any shape. Values beyond the quantiles take the rank of the nearest end.

        A value that fills several quantiles takes the middle of their ranks, except at the two ends, which are exactly
        0 and 1. Where all quantiles are equal, that value has rank 0.5 (ddsp and scikit-learn return 0).
        """
        x = np.asarray(x, np.float64)
        low, high = self.quantiles[0], self.quantiles[-1]
        last = np.interp(x, self.quantiles, self.references)
        first = -np.interp(-x, -self.quantiles[::-1], -self.references[::-1])
        rank = 0.5 * (first + last)
        if low < high:
            tolerance = _NORMAL_EDGE if self.distribution == "normal" else 0.0
            rank = np.where(x + tolerance >= high, 1.0, rank)
            rank = np.where(x - tolerance <= low, 0.0, rank)
        return rank if self.distribution == "uniform" else _normal_quantile(rank)

    def inverse_transform(self, rank: npt.ArrayLike) -> Array:
        """Convert ranks to values. Any shape."""
        rank = np.asarray(rank, np.float64)
        if self.distribution == "normal":
            rank = _normal_rank(rank)
            rank = np.where(rank < _NORMAL_EDGE, 0.0, np.where(rank > 1.0 - _NORMAL_EDGE, 1.0, rank))
        return np.interp(rank, self.references, self.quantiles)

    def resampled(self, n_quantiles: int) -> QuantileTransformer:
        """Resample the same distribution to another number of quantiles."""
        values = np.interp(np.linspace(0.0, 1.0, n_quantiles), self.references, self.quantiles)
        return QuantileTransformer(values, self.distribution)


_NORMAL_EDGE = 1e-7  # ranks nearer to 0 or 1 than this would lie at infinity


def _normal_quantile(rank: Array) -> Array:
    edge = _NORMAL_EDGE - float(np.spacing(1.0))
    inverse = np.vectorize(NormalDist().inv_cdf, otypes=[np.float64])
    return inverse(np.clip(rank, edge, 1.0 - edge))


def _normal_rank(value: Array) -> Array:
    return np.vectorize(NormalDist().cdf, otypes=[np.float64])(value)


@dataclass(frozen=True)
class Spread:
    """Mean, extremes and deviation of a feature (`spread` in the manifest's schema).

    Attributes:
      mean, max, min, std: over all frames.
      mean_max, mean_min: the mean over examples of each example's maximum and minimum.
    """

    mean: float
    max: float
    min: float
    mean_max: float
    mean_min: float
    std: float

    @classmethod
    def of(cls, x: Array, mask: Array) -> Spread:
        """Measure x in the mask. Both have shape [examples, time]; every example has a frame in the mask."""
        on = x[mask]
        highest = np.max(x, axis=-1, where=mask, initial=-np.inf)
        lowest = np.min(x, axis=-1, where=mask, initial=np.inf)
        numbers = on.mean(), on.max(), on.min(), highest.mean(), lowest.mean(), on.std()
        return cls(*(float(number) for number in numbers))


@dataclass(frozen=True)
class DatasetStatistics:
    """Statistics of an instrument's recordings: pitch in MIDI semitones, loudness and power in dB.

    `*_note` is over frames in which a note is on, the others over all frames. Power is None unless it was measured.

    Attributes:
      loudness_quantiles: distribution of loudness in dB over frames in which a note is on.
      pitch_shares: share of these frames at each MIDI pitch, [128]; None in statistics that did not measure it.
    """

    pitch: Spread
    loudness: Spread
    pitch_note: Spread
    loudness_note: Spread
    loudness_quantiles: QuantileTransformer
    power: Spread | None = None
    power_note: Spread | None = None
    pitch_shares: Array | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's values: rounded numbers, and quantiles that err by at most 0.5 dB at any rank.

        101 quantiles lie at ranks evenly spaced from 0 to 1. Where the distribution is too steep for those,
        `loudness_details` has further ones, at the ranks where they were needed most.
        """
        spreads = {name: getattr(self, name) for name in _SPREADS}
        raw: dict[str, Any] = {
            name: {key: round(number, MANIFEST_DECIMALS) for key, number in asdict(spread).items()}
            for name, spread in spreads.items()
            if spread is not None
        }
        quantiles = self.loudness_quantiles.resampled(MANIFEST_QUANTILES).quantiles
        raw["loudness_quantiles"] = [round(float(number), MANIFEST_DECIMALS) for number in quantiles]
        details = _details(self.loudness_quantiles.quantiles, np.asarray(raw["loudness_quantiles"]))
        if details["indices"]:
            raw["loudness_details"] = details
        if self.pitch_shares is not None:
            sounding = np.flatnonzero(self.pitch_shares)
            shares = self.pitch_shares[sounding[0] : sounding[-1] + 1]
            raw["pitch_shares"] = {
                "lowest": int(sounding[0]),
                "shares": [round(float(share), MANIFEST_SHARE_DECIMALS) for share in shares],
            }
        return raw

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> DatasetStatistics:
        """Read the values that `to_json` returned.

        Raises:
          ValueError: a part is missing or malformed; the message names it.
        """
        spreads = {name: _read_spread(name, raw[name]) for name in _SPREADS if name in raw}
        missing = [name for name in _REQUIRED if name not in raw]
        if missing:
            raise ValueError(f"dataset statistics lack {', '.join(missing)}")
        quantiles = np.asarray(raw["loudness_quantiles"], np.float64)
        if quantiles.ndim != 1 or quantiles.size == 0 or not np.all(np.isfinite(quantiles)):
            raise ValueError("dataset statistics: loudness_quantiles must be a list of finite numbers")
        if np.any(np.diff(quantiles) < 0.0):
            raise ValueError("dataset statistics: loudness_quantiles must never fall")
        if (details := raw.get("loudness_details")) is not None:
            quantiles = _with_details(quantiles, details)
        shares = None if (found := raw.get("pitch_shares")) is None else _read_shares(found)
        return cls(**spreads, loudness_quantiles=QuantileTransformer(quantiles), pitch_shares=shares)


def _details(exact: Array, even: Array) -> dict[str, Any]:
    """Choose the quantiles that evenly spaced ones lack, the worst first, until none errs by more than the bound.

    Args:
      exact: all quantiles, [count].
      even: quantiles of the same distribution, evenly spaced.

    Returns:
      `count`, `indices` among the exact ones, and their `quantiles` in dB.
    """
    details: dict[str, Any] = {"count": len(exact), "indices": [], "quantiles": []}
    while True:
        error = np.abs(_with_details(even, details) - exact)
        worst = int(np.argmax(error))
        if error[worst] <= MANIFEST_ERROR_DB:
            return details
        at = int(np.searchsorted(details["indices"], worst))
        details["indices"].insert(at, worst)
        details["quantiles"].insert(at, round(float(exact[worst]), MANIFEST_DECIMALS))


def _with_details(even: Array, details: Mapping[str, Any]) -> Array:
    """Return [count] quantiles: interpolated between the even ones and the detailed ones."""
    count, indices, values = details["count"], details["indices"], details["quantiles"]
    if not (isinstance(count, int) and len(indices) == len(values) and all(0 <= index < count for index in indices)):
        raise ValueError(
            "dataset statistics: loudness_details must hold a count, and a quantile for each index below it"
        )
    ranks = np.concatenate([np.linspace(0.0, 1.0, len(even)), np.asarray(indices, np.float64) / max(1, count - 1)])
    found = np.concatenate([even, np.asarray(values, np.float64)])
    order = np.argsort(ranks, kind="stable")
    quantiles = np.interp(np.linspace(0.0, 1.0, count), ranks[order], found[order])
    if not np.all(np.isfinite(quantiles)):
        raise ValueError("dataset statistics: loudness_details must be finite numbers")
    return np.maximum.accumulate(quantiles)


def _read_shares(raw: Any) -> Array:
    lowest, found = raw["lowest"], np.asarray(raw["shares"], np.float64)
    if not (isinstance(lowest, int) and lowest >= 0 and found.ndim == 1 and 0 < lowest + len(found) <= SEMITONES):
        raise ValueError("dataset statistics: pitch_shares must hold the lowest MIDI pitch, and shares up to pitch 127")
    if not (np.all(np.isfinite(found)) and np.all(found >= 0.0)):
        raise ValueError("dataset statistics: pitch_shares must be finite and at least 0")
    return np.pad(found, (lowest, SEMITONES - lowest - len(found)))


_SPREADS = ("pitch", "loudness", "pitch_note", "loudness_note", "power", "power_note")
_REQUIRED = ("pitch", "loudness", "pitch_note", "loudness_note", "loudness_quantiles")


def _read_spread(name: str, raw: Any) -> Spread:
    expected = {field.name for field in fields(Spread)}
    if not isinstance(raw, Mapping) or set(raw) != expected:
        raise ValueError(f"dataset statistics: {name} must hold {', '.join(sorted(expected))}")
    return Spread(**{key: float(number) for key, number in raw.items()})


def dataset_statistics(
    f0_hz: npt.ArrayLike,
    loudness_db: npt.ArrayLike,
    f0_confidence: npt.ArrayLike,
    power_db: npt.ArrayLike | None = None,
) -> DatasetStatistics:
    """Measure statistics of a dataset (ddsp's compute_dataset_statistics, without its random subsample of frames).

    The last 20 frames of every example are left out (unless there are no others). An example in which no note is found
    counts whole as a note.

    Args:
      f0_hz: fundamental frequency in Hz, shape [examples, time].
      loudness_db: loudness in dB, at least -80, same shape.
      f0_confidence: in [0, 1], same shape.
      power_db: RMS energy in dB, same shape; None leaves power out.

    Raises:
      ValueError: shapes differ or are not [examples, time], there are no frames, or a value is not finite.
    """
    features = {F0_HZ: f0_hz, LOUDNESS_DB: loudness_db, F0_CONFIDENCE: f0_confidence}
    if power_db is not None:
        features["power_db"] = power_db
    arrays = checked_features(features, ndim=2)
    time = arrays[F0_HZ].shape[-1]
    kept = time - TRIMMED_FRAMES if time > TRIMMED_FRAMES else time
    arrays = {name: array[:, :kept] for name, array in arrays.items()}

    loudness = arrays[LOUDNESS_DB]
    mask, _ = detect_notes(loudness, arrays[F0_CONFIDENCE])
    mask |= ~mask.any(axis=-1, keepdims=True)
    everywhere = np.ones_like(mask)
    pitch = hz_to_midi(arrays[F0_HZ])
    power = arrays.get("power_db")
    return DatasetStatistics(
        pitch=Spread.of(pitch, everywhere),
        loudness=Spread.of(loudness, everywhere),
        pitch_note=Spread.of(pitch, mask),
        loudness_note=Spread.of(loudness, mask),
        loudness_quantiles=QuantileTransformer.fit(loudness[mask]),
        power=None if power is None else Spread.of(power, everywhere),
        power_note=None if power is None else Spread.of(power, mask),
        pitch_shares=pitch_shares(pitch[mask]),
    )


def pitch_shares(note_midi: npt.ArrayLike) -> Array:
    """Compute the share of frames at each MIDI pitch, [128], from their pitch in semitones, [frames], at least one."""
    nearest = np.clip(np.floor(np.asarray(note_midi, np.float64) + 0.5), 0, SEMITONES - 1).astype(int)
    return np.bincount(nearest, minlength=SEMITONES) / len(nearest)


def checked_features(features: Mapping[str, npt.ArrayLike], ndim: int) -> dict[str, Array]:
    """Check features and convert them to float64 arrays of one shape.

    Args:
      features: name -> values, all of one shape.
      ndim: number of axes: 1 for [time], 2 for [examples, time].

    Raises:
      ValueError: a feature has another number of axes or another shape, is empty, or holds a value that is not finite.
    """
    arrays = {name: np.asarray(feature, np.float64) for name, feature in features.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != ndim for shape in shapes.values()):
        axes = "[examples, time]" if ndim == 2 else "[time]"
        raise ValueError(f"features must all have one shape {axes}, not {shapes}")
    for name, array in arrays.items():
        if array.size == 0:
            raise ValueError(f"{name} has no frames")
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} holds a value that is not finite")
    return arrays
