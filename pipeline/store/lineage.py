"""Trace a pushed version back to what it was made of: recordings, configuration, code, model and judgements."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2 as pb

from bundles.manifest import MANIFEST_FILE, InvalidBundle, Manifest, content_hash, load
from bundles.publish import served_version, versions
from bundles.versions import check_name
from common.artifacts import serving_folder
from common.errors import UserError
from common.progress import clock
from data.ingest_report import IngestReport, RecordingEntry
from pipeline.configuration.differences import Difference, from_defaults
from pipeline.store.folders import RunFolders
from pipeline.store.history import History, Step
from pipeline.store.lookup import find_published, served
from pipeline.store.moved import where_now
from pipeline.store.records import opened, properties

BLESSINGS = {"Evaluator": "model_blessing", "BrowserValidator": "infra_blessing"}  # gate: the BundlePusher's input


@dataclass(frozen=True)
class Data:
    """The recordings behind a version.

    Attributes:
      folder: folder or URI that they were read from.
      span: the newest that was used; 0 where there were no spans.
      fingerprint: SHA-256, hex, of the recordings.
      recordings: every file of the folder with its verdict; None where the ingest report is gone.
    """

    folder: str
    span: int
    fingerprint: str
    recordings: tuple[RecordingEntry, ...] | None


@dataclass(frozen=True)
class Training:
    """The execution of the Trainer that made the model.

    Attributes:
      execution: its id in the metadata store.
      run: name of the pipeline run, the time it began.
      model: folder or URI of the trained model.
      started_from: folder or URI of the model that it was warm-started from, or None.
      record: the manifest's `training`: steps, examples, seconds, seed, versions of TFX and TensorFlow.
    """

    execution: int
    run: str
    model: str
    started_from: str | None
    record: dict[str, Any]


@dataclass(frozen=True)
class Lineage:
    """The origin of a version.

    Attributes:
      name: of the instrument.
      version: that was pushed.
      folder: folder or URI that it was pushed to.
      kept: whether it still exists; `publishing.keep_versions` limits how many do.
      served: whether a page loads this version now.
      data: the recordings.
      training: the model's execution.
      blessings: by gate.
      metrics: of the evaluation, by name.
      configuration_hash: SHA-256, hex, of the whole resolved configuration.
      differences: settings that differ from the defaults.
      source_revision: of the code; it ends in `-dirty` where that was not committed.
    """

    name: str
    version: str
    folder: str
    kept: bool
    served: bool
    data: Data
    training: Training
    blessings: dict[str, bool]
    metrics: dict[str, float]
    configuration_hash: str
    differences: tuple[Difference, ...]
    source_revision: str

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON values."""
        return asdict(self)

    def text(self) -> str:
        """Format the lineage as text for people."""
        state = "served" if self.served else "kept" if self.kept else "removed from what is published"
        recordings = self.data.recordings
        trained = {key: value for key, value in self.training.record.items() if key not in ("tfx", "tensorflow")}
        lines = [
            f"{self.name} {self.version} ({state})",
            f"  pushed to    {self.folder}",
            f"  code         {self.source_revision}",
            f"  model        Trainer, execution {self.training.execution} of the run of {self.training.run}",
            f"               {self.training.model}",
            f"  started from {self.training.started_from or 'random weights'}",
            f"  trained      {_pairs(trained)}",
            f"  packages     {_packages(self.training.record)}",
            f"  blessed by   {', '.join(gate for gate, blessed in self.blessings.items() if blessed) or 'no gate'}",
            f"  metrics      {_pairs(self.metrics)}",
            f"  settings     {self.configuration_hash[:12]}, {len(self.differences)} of them not as in the defaults",
            *(
                f"               {setting.key} = {setting.value} (default: {setting.default})"
                for setting in self.differences
            ),
            f"  recordings   {self.data.folder}, span {self.data.span}, fingerprint {self.data.fingerprint[:12]}",
            *(map(_row, recordings) if recordings is not None else ["               the report of them is gone"]),
        ]
        return "\n".join(lines)


def lineage(output: Path, name: str, version: str | None = None) -> Lineage:
    """Trace a published version back to its model, its runs and its recordings.

    Args:
      output: folder given by `--output`.
      name: of an instrument that was published.
      version: None takes the served version.

    Raises:
      UserError: an unknown instrument or version, a version that was not pushed from this output folder, or a metadata
        store that is absent or damaged.
    """
    folders = find_published(output, name)
    version = version or served(folders)
    with opened(folders.metadata) as store:
        return _trace(History(store), folders, version)


def _trace(history: History, folders: RunFolders, version: str) -> Lineage:
    pushed = history.push_of(version)
    if pushed is None:
        known = versions(folders.pushed / folders.name)
        raise UserError(
            f"{folders.metadata}: no run that is recorded there pushed version {version!r}"
            + (": it was pushed before that store was begun" if version in known else "")
            + f"; published versions: {', '.join(known)}"
        )
    push = _maker(history, pushed, folders)
    bundle = _input(push, "model", folders)
    export = _maker(history, bundle, folders)
    model = _input(export, "model", folders)
    manifest = _manifest(folders, version, bundle)
    return Lineage(
        name=folders.name,
        version=version,
        folder=_folder(pushed, folders, version),
        kept=version in versions(folders.pushed / folders.name),
        served=version == served_version(folders.pushed / folders.name),
        data=_data(history, _input(export, "examples", folders), folders),
        training=_training(_maker(history, model, folders), model, manifest, folders),
        blessings={
            gate: bool(properties(_input(push, key, folders)).get("blessed")) for gate, key in BLESSINGS.items()
        },
        metrics=manifest.get("metrics", {}),
        configuration_hash=manifest["configuration_hash"],
        differences=from_defaults(manifest["configuration"]),
        source_revision=manifest["source_revision"],
    )


def _folder(pushed: pb.Artifact, folders: RunFolders, version: str) -> str:
    """Return the folder that holds the version, or the one that it was pushed to where it is gone."""
    published = folders.pushed / folders.name / version
    return str(published.resolve() if published.is_dir() else properties(pushed).get("pushed_destination", ""))


def _training(step: Step, model: pb.Artifact, manifest: Manifest, folders: RunFolders) -> Training:
    base = step.input("base_model")
    started_from = where_now(base.uri, folders) if base else None
    return Training(step.id, step.run, where_now(model.uri, folders), started_from, manifest["training"])


def _data(history: History, examples: pb.Artifact, folders: RunFolders) -> Data:
    ingestion = _maker(history, examples, folders)
    try:
        recordings = IngestReport.read(where_now(examples.uri, folders)).recordings
    except (OSError, ValueError, KeyError, TypeError):  # removed or damaged: the rest is worth knowing all the same
        recordings = None
    recorded = {**properties(examples), **ingestion.properties}
    return Data(
        str(recorded.get("input_base", "")),
        int(recorded.get("span", 0)),
        str(recorded.get("input_fingerprint", "")),
        recordings,
    )


def _manifest(folders: RunFolders, version: str, bundle: pb.Artifact) -> Manifest:
    """Read the manifest of the published version, or the exporter's copy where the version has been removed."""
    published, exported = folders.pushed / folders.name / version, serving_folder(where_now(bundle.uri, folders))
    kept = (published / MANIFEST_FILE).is_file()
    recorded = str(properties(bundle).get("content_hash", version[-8:]))  # older stores have it in the name alone
    try:
        manifest = load(published if kept else exported)
        if kept:
            check_name(published, manifest)
        elif not content_hash(manifest).startswith(recorded):
            raise InvalidBundle(f"{exported / MANIFEST_FILE}: was changed after it was exported")
    except InvalidBundle as fault:
        raise UserError(f"{folders.name} {version}: no manifest is left of it as it was published: {fault}") from None
    return manifest


def _maker(history: History, artifact: pb.Artifact, folders: RunFolders) -> Step:
    step = history.maker(artifact)
    if step is None:
        raise UserError(f"{folders.metadata}: has no execution that made {artifact.uri}: records are missing from it")
    return step


def _input(step: Step, name: str, folders: RunFolders) -> pb.Artifact:
    artifact = step.input(name)
    if artifact is None:
        raise UserError(f"{folders.metadata}: execution {step.id} has no input {name!r}: records are missing from it")
    return artifact


def _row(entry: RecordingEntry) -> str:
    length = "?" if entry.seconds is None else f"{clock(entry.seconds)} ({entry.seconds:.1f} s)"
    return f"               {entry.recording}  {length}  {(entry.recording_id or 'no id')[:12]}  {entry.explanation}"


def _packages(record: dict[str, Any]) -> str:
    """Name the versions that trained."""
    if "tfx" not in record or "tensorflow" not in record:
        return "versions of TFX and TensorFlow were not recorded"
    return f"TFX {record['tfx']}, TensorFlow {record['tensorflow']}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items()
    )
