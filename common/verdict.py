"""The verdict of a gate, and its file beside an artifact."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

VERDICT_FILE = "verdict.json"


@dataclass(frozen=True)
class Verdict:
    """A gate's decision with its reasons.

    Attributes:
      gate: name of the gate as it is shown to users, e.g. `DataGate`.
      blessed: whether the gate lets the run go on.
      reasons: one sentence for each fault; empty exactly when blessed.
      figures: what was measured, by name, for the report and the manifest (JSON values only).
      notes: what was left out of the decision and why, a sentence each; they refuse nothing.
    """

    gate: str
    blessed: bool
    reasons: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.blessed == bool(self.reasons):
            raise ValueError(f"{self.gate}: a verdict is blessed exactly when it has no reason against it")

    @classmethod
    def of(cls, gate: str, reasons: list[str], figures: dict[str, Any], notes: Iterable[str] = ()) -> Verdict:
        """Make a verdict: blessed where there is no reason against it."""
        return cls(gate, not reasons, tuple(reasons), figures, tuple(notes))

    def write(self, folder: str | Path) -> Path:
        """Write `verdict.json` into an artifact's folder, which is made if it is absent."""
        path = Path(folder) / VERDICT_FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, folder: str | Path) -> Verdict:
        """Read what `write` wrote. Raises FileNotFoundError where the gate gave no verdict."""
        raw = json.loads((Path(folder) / VERDICT_FILE).read_text(encoding="utf-8"))
        return cls(raw["gate"], raw["blessed"], tuple(raw["reasons"]), raw["figures"], tuple(raw.get("notes", ())))


class GateRefused(Exception):
    """A gate stopped the run on purpose. Exit code 3."""

    def __init__(self, verdict: Verdict):
        super().__init__(f"{verdict.gate} refused: " + "; ".join(verdict.reasons))
        self.verdict = verdict
