"""TFX's cache, made to see what a stage works on and not where that lies, so that folders may be moved.

TFX hashes each input with its path, and each parameter, among which are the folders of recordings, checkpoints and
publication. Recordings have a fingerprint of their content, and artifacts an id: a path adds nothing to these.
"""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tfx import types
from tfx.orchestration.portable import cache_utils

from pipeline.store.folders import RunFolders


@contextlib.contextmanager
def keys_without_paths(folders: RunFolders) -> Iterator[None]:
    """Let TFX find results of stages wherever recordings and output lay when they were made.

    Results that were recorded before under a key with paths are still found, where nothing was moved since.
    """
    made_by_tfx = cache_utils.get_cache_context
    names = {str(folders.output.resolve()): "OUTPUT", str(folders.recordings.resolve()): "RECORDINGS"}

    def get_cache_context(metadata_handle: Any, **given: Any) -> Any:
        with_paths = made_by_tfx(metadata_handle=metadata_handle, **given)
        if metadata_handle.store.get_executions_by_context(with_paths.id):
            return with_paths
        return made_by_tfx(metadata_handle=metadata_handle, **_without_paths(given, names))

    cache_utils.get_cache_context = get_cache_context
    try:
        yield
    finally:
        cache_utils.get_cache_context = made_by_tfx


def _without_paths(given: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Replace the paths in inputs and parameters of a stage by names."""
    inputs: Mapping[str, Sequence[types.Artifact]] = given.get("input_artifacts") or {}
    parameters: Mapping[str, Any] = given.get("parameters") or {}
    return {
        **given,
        "input_artifacts": {key: [_identity(artifact) for artifact in artifacts] for key, artifacts in inputs.items()},
        "parameters": {key: _replaced(str(value), names) for key, value in parameters.items()},
    }


def _identity(artifact: types.Artifact) -> types.Artifact:
    """Return the artifact without what a move changes."""
    same = copy.deepcopy(artifact)
    same.uri = ""
    same.mlmd_artifact.ClearField("last_update_time_since_epoch")
    return same


def _replaced(value: str, names: Mapping[str, str]) -> str:
    for path in sorted(names, key=len, reverse=True):  # one may lie within the other
        for written in (path, json.dumps(path)[1:-1]):
            value = value.replace(written, names[path])
    return value
