"""Replays a compiled PipelineJob without a cluster: each step in a process of its own, by its container's command."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


_PLACEHOLDER = re.compile(r"\{\{\$\.inputs\.artifacts\['(\w+)'\]\.metadata\['(\w+)'\]\}\}")
_TITLE = re.compile(r"^title: (\S+)$", re.MULTILINE)
_METADATA = re.compile(r"metadata\.(\w+)\.number_value=(\S+)")


class StepFailed(AssertionError):
    """A step ended with another exit code than 0; the message ends with its standard error."""


@dataclass
class Replay:
    """A cluster's part: passes artifacts from step to step, and runs drivers and executors.

    Attributes:
      job: the compiled PipelineJob.
      folder: of artifacts and records.
      earlier: the replay before this one, whose artifacts resolvers find.
      made: by task and output, the artifact that it made; nothing where a resolver found none.
      ran: tasks in the order in which they ran.
      errors: by task, standard error of its last process.
    """

    job: dict[str, Any]
    folder: Path
    earlier: Replay | None = None
    made: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Runs every step, each after those that it depends on.

        Raises:
          StepFailed: a driver or an executor failed.
        """
        for name in self._ordered():
            executor = self._executor(name)
            if "container" in executor:
                self.made[name] = self._execute(name, executor["container"])
            else:
                self.made[name] = self.resolve(name)
            self.ran.append(name)

    def _ordered(self) -> Iterator[str]:
        tasks = self.job["pipelineSpec"]["root"]["dag"]["tasks"]
        done: set[str] = set()
        while len(done) < len(tasks):
            ready = sorted(name for name in tasks if name not in done and self._before(tasks[name]) <= done)
            assert ready, "the graph has a ring"
            done.update(ready)
            yield from ready

    @staticmethod
    def _before(task: dict[str, Any]) -> set[str]:
        artifacts = task.get("inputs", {}).get("artifacts", {}).values()
        return {*task.get("dependentTasks", []), *(one["taskOutputArtifact"]["producerTask"] for one in artifacts)}

    def _executor(self, name: str) -> dict[str, Any]:
        label = self.job["pipelineSpec"]["components"][name]["executorLabel"]
        return dict(self.job["pipelineSpec"]["deploymentSpec"]["executors"][label])

    def _execute(self, name: str, container: dict[str, Any]) -> dict[str, dict[str, Any]]:
        given = self.input_of(name)
        record = Path(given["outputs"]["outputFile"])
        driver = container.get("lifecycle", {}).get("preCacheCheck")
        if driver:
            self._call(name, [*driver["command"], *driver["args"]], given)
            found = json.loads(record.read_text())
            given["inputs"]["parameterValues"].update(found.get("parameterValues", {}))
            _merge(given["outputs"]["artifacts"], found)
        self._call(name, [*container["command"], *container["args"]], given)
        _merge(given["outputs"]["artifacts"], json.loads(record.read_text()))
        return {key: of["artifacts"][0] for key, of in given["outputs"]["artifacts"].items()}

    def resolve(self, name: str) -> dict[str, dict[str, Any]]:
        """Finds the newest artifact that matches each query of a resolver, where there is any."""
        resolver = self._executor(name)["resolver"]
        artifacts = self.input_of(name)["inputs"]["artifacts"]
        given = {key: of["artifacts"][0]["metadata"] for key, of in artifacts.items()}
        found = {}
        for key, query in resolver["outputArtifactQueries"].items():
            wanted = _PLACEHOLDER.sub(lambda m: str(given.get(m[1], {}).get(m[2])), query["filter"])
            matching = [one for one in self._known() if all(_holds(part, one) for part in wanted.split(" AND "))]
            found.update({key: matching[-1]} if matching else {})
        return found

    def _known(self) -> list[dict[str, Any]]:
        """Artifacts in the cluster's metadata store from earlier runs, oldest first."""
        if self.earlier is None:
            return []
        made = self.earlier.made
        own = [
            one
            for name in self.earlier.ran
            if "container" in self.earlier._executor(name)
            for one in made[name].values()
        ]
        return [*self.earlier._known(), *own]

    def input_of(self, name: str) -> dict[str, Any]:
        """ExecutorInput, as the cluster fills it in."""
        spec = self.job["pipelineSpec"]
        inputs = spec["root"]["dag"]["tasks"][name].get("inputs", {})
        values = self.job["runtimeConfig"]["parameterValues"]
        parameters = {
            key: values[of["componentInputParameter"]]
            if "componentInputParameter" in of
            else of["runtimeValue"]["constant"]
            for key, of in inputs.get("parameters", {}).items()
        }
        sources = {key: of["taskOutputArtifact"] for key, of in inputs.get("artifacts", {}).items()}
        found = {key: self.made[of["producerTask"]].get(of["outputArtifactKey"]) for key, of in sources.items()}
        outputs = spec["components"][name].get("outputDefinitions", {}).get("artifacts", {})
        folder = self.folder / name
        return {
            "inputs": {
                "parameterValues": parameters,
                "artifacts": {key: {"artifacts": [of]} for key, of in found.items() if of is not None},
            },
            "outputs": {
                "outputFile": str(folder / "executor_output.json"),
                "artifacts": {
                    key: {
                        "artifacts": [{"name": str(folder / key), "uri": str(folder / key), "type": of["artifactType"]}]
                    }
                    for key, of in outputs.items()
                },
            },
        }

    def _call(self, name: str, command: list[str], given: dict[str, Any]) -> None:
        filled = [json.dumps(given) if word == "{{$}}" else word for word in command]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path}
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(filled, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StepFailed(f"{name}: exit code {done.returncode}\n{done.stderr[-4000:]}")
        self.errors[name] = done.stderr


def _merge(artifacts: dict[str, Any], record: dict[str, Any]) -> None:
    """Takes over a step's record of the artifacts that it made."""
    for key, of in record.get("artifacts", {}).items():
        [recorded], [known] = of["artifacts"], artifacts[key]["artifacts"]
        known.setdefault("metadata", {}).update(recorded.get("metadata", {}))
        known["uri"] = recorded.get("uri", known["uri"])


def _holds(condition: str, artifact: dict[str, Any]) -> bool:
    """Whether an artifact fulfils one condition of a resolver's filter; only those that TFX writes are known."""
    if condition == "state=LIVE":
        return True
    if condition.startswith("schema_title="):
        kind = artifact["type"]
        title = kind.get("schemaTitle") or _TITLE.search(kind["instanceSchema"])[1]
        return condition == f'schema_title="{title}"'
    if condition.startswith("name="):
        return condition == f'name="{artifact["name"]}"'
    number = _METADATA.fullmatch(condition)
    assert number, f"no such condition is known: {condition}"
    return artifact.get("metadata", {}).get(number[1]) == float(number[2])
