"""The executor of BundlePusher: checks every gate's verdict, publishes, records."""

from __future__ import annotations

import math
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from tfx import types
from tfx.components.pusher import executor as tfx_pusher
from tfx.components.util import model_utils
from tfx.types import artifact_utils

from bundles.publish import publish
from common.errors import UserError
from common.verdict import VERDICT_FILE, Verdict
from components.evaluator.results import read_metrics, read_verdict

GATE = "BundlePusher"
RENAMED = {"example_count": "windows"}

Artifacts = dict[str, list[types.Artifact]]


class Executor(tfx_pusher.Executor):
    """TFX's pusher with another destination and one more condition: no verdict that is passed in may be negative."""

    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: dict[str, Any]) -> None:
        """Publish a bundle; see `BundlePusher` for inputs and outputs.

        Raises:
          UserError: the destination is a URI, or cannot be written.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        reasons = objections(input_dict)
        if reasons or not self.CheckBlessing(input_dict):
            Verdict.of(GATE, reasons or ["a gate did not bless the model"], {}).write(pushed.uri)
            pushed.set_string_custom_property("reasons", "; ".join(reasons))
            self._MarkNotPushed(pushed)
            return
        published = publish(
            Path(self.GetModelPath(input_dict)),
            _folder(exec_properties["destination"]),
            datetime.now(timezone.utc),
            metrics(artifact_utils.get_single_uri(input_dict["evaluation"])),
            exec_properties.get("keep_versions"),
        )
        figures = {
            "version": published.version,
            "destination": str(published.folder),
            "new": published.new,
            "removed": list(published.removed),
        }
        Verdict.of(GATE, [], figures).write(pushed.uri)
        pushed.set_int_custom_property("new", int(published.new))
        self._MarkPushed(pushed, str(published.folder), published.version)


def _folder(destination: str) -> Path:
    if "://" in destination:  # a bucket that is mounted comes as a path
        raise UserError(f"{destination}: bundles go to a folder, or to a gs:// URI on a cluster that mounts buckets")
    return Path(destination)


def objections(input_dict: Artifacts) -> list[str]:
    """List the reasons of gates that refuse, one sentence each; empty where all of them bless."""
    reasons = []
    model_blessing = artifact_utils.get_single_instance(input_dict["model_blessing"])
    if not model_utils.is_model_blessed(model_blessing):
        found = read_verdict(artifact_utils.get_single_uri(input_dict["evaluation"])).reasons
        reasons += [f"Evaluator: {reason}" for reason in found or ["the model was not blessed"]]
    verdicts = [
        Verdict.read(artifact.uri)
        for artifacts in input_dict.values()
        for artifact in artifacts
        if (Path(artifact.uri) / VERDICT_FILE).exists()
    ]
    reasons += [f"{verdict.gate}: {reason}" for verdict in verdicts for reason in verdict.reasons]
    infra_blessing = artifact_utils.get_single_instance(input_dict["infra_blessing"])
    if not model_utils.is_infra_validated(infra_blessing) and not any(not verdict.blessed for verdict in verdicts):
        reasons.append("BrowserValidator: the bundle was not blessed")
    return reasons


def metrics(evaluation: str) -> dict[str, float]:
    """Read the metrics on all eval windows, as the manifest names them; only finite numbers."""
    found = read_metrics(evaluation).get((), {})
    return {RENAMED.get(name, name): value for name, value in found.items() if math.isfinite(value)}
