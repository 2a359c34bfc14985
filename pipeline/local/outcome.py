"""What a run came to: pushed or refused, by which gates and why, and its figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bundles.publish import served_version
from common.errors import UserError
from common.verdict import VERDICT_FILE, Verdict
from components.size_tuner.pareto import PARETO_FILE
from data.ingest_report import IngestReport
from pipeline.store.folders import RunFolders
from pipeline.store.records import RunRecord, last_run

SIZES_FILE = "sizes.yaml"  # beside the report: the choice of a sweep


@dataclass(frozen=True)
class Outcome:
    """The last run of an instrument.

    Attributes:
      record: its artifacts.
      ingest: what was heard in each recording; None where the run did not get that far.
      verdicts: of all gates that spoke, in order.
      pushed_version: the version that is served now because of this run, or None.
      sweep: what `pareto.json` holds; None where no sizes were searched.
    """

    record: RunRecord
    ingest: IngestReport | None
    verdicts: tuple[Verdict, ...]
    pushed_version: str | None
    sweep: Mapping[str, Any] | None = None

    @property
    def pushed(self) -> bool:
        """Whether what the run made is what is served now."""
        return self.pushed_version is not None

    def figures(self) -> dict[str, Any]:
        """All figures by name, JSON values: the line that `--json` prints."""
        by_gate = {verdict.gate: verdict.figures for verdict in self.verdicts}
        return {
            "pushed": self.pushed,
            "version": self.pushed_version,
            "minutes": self.ingest.usable_minutes if self.ingest else None,
            "gates": {verdict.gate: verdict.blessed for verdict in self.verdicts},
            "reasons": [reason for verdict in self.verdicts for reason in verdict.reasons],
            **by_gate.get("Evaluator", {}),
            **by_gate.get("BrowserValidator", {}),
            **({"sweep": dict(self._chosen(self.sweep))} if self.sweep else {}),
            "cached": sorted(self.record.cached),
        }

    @staticmethod
    def _chosen(sweep: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        yield "trials", len(sweep["trials"])
        yield "winner", next(trial for trial in sweep["trials"] if trial["trial"] == sweep["winner"])
        yield "reference", sweep["reference"]

    def summary(self) -> str:
        """The last lines of a run: every gate with its reasons, and what is served."""
        lines = [f"{one.gate}: {'blessed' if one.blessed else 'REFUSED'}" for one in self.verdicts]
        lines += [f"  {one.gate}: {reason}" for one in self.verdicts for reason in one.reasons]
        lines.append(f"pushed {self.pushed_version}" if self.pushed else "not pushed: a gate refused")
        return "\n".join(lines)


def read_outcome(places: RunFolders, refusal: Verdict | None = None) -> Outcome:
    """Read what the last run left behind.

    Args:
      places: of the instrument.
      refusal: of a gate that stopped the run: what it would have left is not kept, so its word is handed over.

    Raises:
      UserError: nothing was run with this output folder.
    """
    record = last_run(places.metadata)
    examples = record.find("RecordingExampleGen", "examples")
    pushed = record.find("BundlePusher", "pushed_model")
    version = pushed.properties.get("pushed_version") if pushed and pushed.properties.get("pushed") else None
    served = served_version(places.pushed / places.name)
    if version is not None and served != version:
        raise UserError(
            f"{places.pushed / places.name}: an earlier, identical run pushed version {version}, and "
            f"{served or 'none'} is served now. Nothing has changed since, so nothing was pushed again. To publish "
            f"anew, move {places.metadata.parent} away"
        )
    return Outcome(
        record=record,
        ingest=IngestReport.read(examples.uri) if examples else None,
        verdicts=(*_verdicts(record), *([refusal] if refusal else [])),
        pushed_version=version,
        sweep=_sweep(record),
    )


def _sweep(record: RunRecord) -> Mapping[str, Any] | None:
    searched = record.find("SizeTuner", "tuner_results")
    if searched is None or not (searched.uri / PARETO_FILE).is_file():
        return None
    found: Mapping[str, Any] = json.loads((searched.uri / PARETO_FILE).read_text(encoding="utf-8"))
    return found


def _verdicts(record: RunRecord) -> Iterator[Verdict]:
    """What the gates said, in their order; of a gate that did not speak, nothing."""
    places = (("DataGate", "accepted_data"), ("BrowserValidator", "blessing"), ("BundlePusher", "pushed_model"))
    kept = {node: made.uri for node, output in places if (made := record.find(node, output))}
    evaluation = record.find("Evaluator", "evaluation")
    for node in ("DataGate", "Evaluator", "BrowserValidator", "BundlePusher"):
        if node == "Evaluator" and evaluation:
            from components.evaluator.results import read_verdict

            yield read_verdict(evaluation.uri)
        elif node in kept and (kept[node] / VERDICT_FILE).exists():
            yield Verdict.read(kept[node])
