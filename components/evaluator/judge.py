"""The Evaluator's decision on ViSQOL: as good as the network-free baseline, and nearly as good as the best so far.

TFMA's thresholds cannot make it. They know the last blessed model and not the best, so that an instrument could lose a
tenth of a point with every version; and they refuse a figure that is missing, which an earlier output has.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.evaluator.against_original import BASELINE_VISQOL, JUDGED_WINDOWS, VISQOL
from components.evaluator.config import EvaluatorConfig


@dataclass(frozen=True)
class Best:
    """The best score of the blessed versions of an instrument so far.

    Attributes:
      judged: which windows it is of, and by which measure, as `judged_windows.digest` names them.
      visqol: that score.
    """

    judged: str
    visqol: float


@dataclass(frozen=True)
class Judgement:
    """What is decided on a model.

    Attributes:
      reasons: against it, a sentence each.
      notes: what was left out of the decision, and why.
      best: of the versions so far, this one included; None without a figure.
    """

    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    best: Best | None = None


def judge(
    candidate: Mapping[str, float],
    last_blessed: Mapping[str, float] | None,
    best: Best | None,
    judged: str,
    limits: EvaluatorConfig,
) -> Judgement:
    """Judge a model by ViSQOL.

    Args:
      candidate: its metrics on all windows.
      last_blessed: those of the last blessed model on the same windows, measured anew; None where there is none.
      best: of the blessed versions, as the last blessing recorded it; None where it has no figure.
      judged: the windows that were judged now.
      limits: for a blessing.
    """
    if not candidate.get(JUDGED_WINDOWS):
        return Judgement(notes=("no eval window has its original: nothing was judged against the recording itself",))
    score, baseline = candidate[VISQOL], candidate[BASELINE_VISQOL]
    least = baseline + limits.min_visqol_over_baseline
    reasons, notes = [], []
    if not score >= least:
        reasons.append(
            f"{VISQOL} is {score:.2f} and the network-free baseline's {baseline:.2f}: at least {least:.2f} is required"
        )
    rivals = []
    if last_blessed is not None:
        again = last_blessed.get(VISQOL, math.nan)
        rivals = [again] if math.isfinite(again) else []
        if not rivals:
            notes.append(f"the last blessed model has no {VISQOL}: this one was compared with the baseline alone")
        elif best is not None and best.judged == judged:
            rivals.append(best.visqol)
        elif best is not None:
            notes.append(
                "the judged windows changed since the last blessed model: it was measured anew on these "
                f"({again:.2f}), and the figures of earlier versions do not count any more"
            )
        if rivals and not score >= max(rivals) - limits.max_visqol_drop:
            reasons.append(
                f"{VISQOL} is {score:.2f}, and the best blessed version has {max(rivals):.2f} on the same windows: at "
                f"most {limits.max_visqol_drop:g} less is allowed"
            )
    return Judgement(tuple(reasons), tuple(notes), Best(judged, max([score, *rivals])))
