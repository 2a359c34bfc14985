"""The outcome of a run: pushed or refused, by which gates and why, and its figures."""

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
      ingest: the analysis of each recording; None where the run ended before it.
      verdicts: of all gates that came to one, in order.
      pushed_version: the version that is served now because of this run, or None.
      sweep: the content of `pareto.json`; None where no sizes were searched.
    """

    record: RunRecord
    ingest: IngestReport | None
    verdicts: tuple[Verdict, ...]
    pushed_version: str | None
    sweep: Mapping[str, Any] | None = None

    @property
    def pushed(self) -> bool:
        """Whether the run's bundle is served now."""
        return self.pushed_version is not None

    def figures(self) -> dict[str, Any]:
        """Return all figures by name, JSON values: the line that `--json` prints."""
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
        """Return the last lines of a run: every gate with its reasons, and the version that is served."""
        lines = [f"{verdict.gate}: {'blessed' if verdict.blessed else 'REFUSED'}" for verdict in self.verdicts]
        lines += [f"  {verdict.gate}: {reason}" for verdict in self.verdicts for reason in verdict.reasons]
        lines += [f"  {verdict.gate} left out: {note}" for verdict in self.verdicts for note in verdict.notes]
        lines.append(f"pushed {self.pushed_version}" if self.pushed else "not pushed: a gate refused")
        return "\n".join(lines)


def read_outcome(folders: RunFolders, refusal: Verdict | None = None) -> Outcome:
    """Read the outcome of the last run.

    Args:
      folders: of the instrument.
      refusal: of a gate that stopped the run, the artifact of which is not kept.

    Raises:
      UserError: nothing was run with this output folder.
    """
    record = last_run(folders.metadata)
    examples = record.find("RecordingExampleGen", "examples")
    pushed = record.find("BundlePusher", "pushed_model")
    version = pushed.properties.get("pushed_version") if pushed and pushed.properties.get("pushed") else None
    served = served_version(folders.pushed / folders.name)
    if version is not None and served != version:
        raise UserError(
            f"{folders.pushed / folders.name}: an earlier, identical run pushed version {version}, and "
            f"{served or 'none'} is served now. Nothing has changed since, so nothing was pushed again. To publish "
            f"anew, move {folders.metadata.parent} away"
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
    """Read the gates' verdicts, in their order; a gate that did not run has none."""
    outputs = (("DataGate", "accepted_data"), ("BrowserValidator", "blessing"), ("BundlePusher", "pushed_model"))
    kept = {node: made.uri for node, output in outputs if (made := record.find(node, output))}
    evaluation = record.find("Evaluator", "evaluation")
    for node in ("DataGate", "Evaluator", "BrowserValidator", "BundlePusher"):
        if node == "Evaluator" and evaluation:
            from components.evaluator.results import read_verdict

            yield read_verdict(evaluation.uri)
        elif node in kept and (kept[node] / VERDICT_FILE).exists():
            yield Verdict.read(kept[node])
