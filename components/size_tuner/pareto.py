"""Loss against size: trials that no other beats in both, those that go on, and the one that ships. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.errors import UserError

PARETO_FILE = "pareto.json"  # of an artifact, and beside the report
REFERENCE = "reference"  # the full-size model: its name among trials, and the folder of its SavedModel
HOPELESS = 5.0  # tolerances above the lowest loss of a rung: trials beyond are promoted only if others are too few


@dataclass(frozen=True)
class TrialRow:
    """One configuration, as the report and later stages read it.

    Attributes:
      trial: its number, or "reference".
      status: running, stopped (at a rung), finished (trained as long as the Trainer trains) or failed.
      hyperparameters: the sizes that were chosen.
      steps: of training.
      losses: eval loss after each rung, weights in the precision that ships; steps -> loss.
      parameters: of the whole instrument, reverb included.
      raw_bytes: that a page downloads for `controls`.
      gzip_bytes: the same, compressed.
      exact: whether the bundle was exported, or its size estimated.
      multiply_adds_per_frame: of the network.
      real_time_factor: seconds to resynthesise and judge a second of audio, on the machine that trained it.
      seconds: s of training.
      error: why it failed.
      visqol: against the originals, where it finished and they are known; the choice does not depend on it.
    """

    trial: str
    status: str
    hyperparameters: Mapping[str, Any]
    steps: int = 0
    losses: Mapping[int, float] | None = None
    parameters: int | None = None
    raw_bytes: int | None = None
    gzip_bytes: int | None = None
    exact: bool = False
    multiply_adds_per_frame: float | None = None
    real_time_factor: float | None = None
    seconds: float | None = None
    error: str | None = None
    visqol: float | None = None

    @property
    def loss(self) -> float | None:
        """Loss after its last rung."""
        return self.losses[max(self.losses)] if self.losses else None


@dataclass(frozen=True)
class Point:
    """Size and loss of a trial at a rung."""

    name: str
    size: float
    loss: float


def frontier(points: Sequence[Point]) -> list[Point]:
    """Find the points that none beats: no other is at most as large and at most as bad. Smallest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.size, point.loss, point.name)):
        if not kept or point.loss < kept[-1].loss:
            kept.append(point)
    return kept


def promising(points: Sequence[Point], count: int, tolerance: float) -> list[Point]:
    """Choose the points that are promoted from a rung: frontier after frontier (Deb et al. 2002), the hopeless last.

    Args:
      points: all that reached the rung.
      count: how many go on, at most.
      tolerance: of the final choice.
    """
    best = min((point.loss for point in points), default=0.0)
    hopeful = [point for point in points if point.loss <= best * (1 + HOPELESS * tolerance)]
    chosen: list[Point] = []
    left = hopeful
    while left and len(chosen) < count:
        layer = frontier(left)
        # of the last frontier that does not fit as a whole, the most accurate
        chosen += sorted(layer, key=lambda point: point.loss)[: count - len(chosen)]
        left = [point for point in left if point not in layer]
    rest = sorted((point for point in points if point not in hopeful), key=lambda point: (point.loss, point.size))
    return chosen + rest[: count - len(chosen)]


def smallest_within(rows: Sequence[TrialRow], reference: TrialRow | None, tolerance: float) -> TrialRow:
    """Choose the smallest finished trial whose loss is within `tolerance` of the lowest, the reference's included.

    Of equal sizes the one with the lower loss. Where the reference wins by more, the trial with the lowest loss.

    Raises:
      UserError: no trial was finished.
    """
    done = [(row.gzip_bytes or 0, row.loss, row) for row in rows if row.status == "finished" and row.loss is not None]
    if not done:
        errors = [row.error.strip().splitlines()[-1] for row in rows if row.error] or ["none"]
        raise UserError(f"Tuner: no trial was finished, so no size can be chosen. The first error: {errors[0]}")
    losses = [loss for _, loss, _ in done]
    if reference is not None and reference.loss is not None:
        losses.append(reference.loss)
    within = [entry for entry in done if entry[1] <= min(losses) * (1 + tolerance)]
    if not within:
        return min(done, key=lambda entry: entry[1])[2]
    return min(within, key=lambda entry: entry[:2])[2]
