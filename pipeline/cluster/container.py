"""Run one step in a container: `python -m pipeline.cluster.container`, with the arguments of TFX's own program.

Components of this project that are not Beam's read and write plain files. In a container on Vertex, buckets are mounted
below /gcs, so such a step gets `/gcs/BUCKET/...` for every `gs://BUCKET/...`, and the record of its outputs gets the
URIs back. Beam steps keep URIs: their workers may be elsewhere, without any mount.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

SCHEME, MOUNT = "gs://", "/gcs/"
ACCELERATOR = "SWARA_ACCELERATOR"  # environment variable: the accelerator of a step; absent: CPUs alone
INVOCATION, EXECUTOR = "--json_serialized_invocation_args", "--executor_class_path"


def mounted(arguments: Sequence[str]) -> list[str]:
    """Replace URIs of buckets by mounted paths in the arguments of a step.

    The file of the step's own record, `outputs.outputFile`, stays a URI: TFX writes it, and the cluster reads it.
    """
    changed = list(arguments)
    at = changed.index(INVOCATION) + 1
    output_file = json.loads(changed[at]).get("outputs", {}).get("outputFile")
    invocation = json.loads(changed[at].replace(SCHEME, MOUNT))
    if output_file is not None:
        invocation["outputs"]["outputFile"] = output_file
    changed[at] = json.dumps(invocation)
    return changed


def restore(record: str) -> str:
    """Replace mounted paths by URIs of buckets in the record of a step's outputs (ExecutorOutput, JSON)."""
    return record.replace(f'"{MOUNT}', f'"{SCHEME}')


def uses_files(executor: str) -> bool:
    """Check whether the executor of that class path runs in this container only, and not on Beam's workers."""
    from tfx.dsl.components.base import base_beam_executor
    from tfx.utils import import_utils

    return not issubclass(import_utils.import_class_by_path(executor), base_beam_executor.BaseBeamExecutor)


def check_accelerator(accelerator: str | None) -> None:
    """Exit with 1 where a step has an accelerator that TensorFlow does not find: it would take hours."""
    if not accelerator:
        return
    import tensorflow as tf

    if not tf.config.list_physical_devices("GPU"):
        sys.exit(
            f"{accelerator}: this step has one, and TensorFlow finds none: see that --gpu-image is made of the "
            "Dockerfile's target gpu, and that the driver is mounted where its LD_LIBRARY_PATH says"
        )


def main(arguments: Sequence[str]) -> None:
    """Run the step that the arguments name. Exit with 1 where its buckets or its accelerator are missing."""
    from absl import app
    from tfx.dsl.io import fileio
    from tfx.orchestration.kubeflow.v2.container import kubeflow_v2_run_executor as tfx_program

    check_accelerator(os.environ.get(ACCELERATOR))
    on_files = uses_files(arguments[list(arguments).index(EXECUTOR) + 1])
    given = mounted(arguments) if on_files else list(arguments)
    if on_files and MOUNT in given[given.index(INVOCATION) + 1] and not os.path.isdir(MOUNT):
        sys.exit(
            f"{MOUNT}: no buckets are mounted there, so this step can neither read nor write what lies in {SCHEME}"
        )

    def run(parsed: object) -> None:
        tfx_program.main(parsed)
        record = json.loads(given[given.index(INVOCATION) + 1])["outputs"]["outputFile"]
        if on_files:
            with fileio.open(record, "r") as file:
                outputs = file.read()
            with fileio.open(record, "w") as file:
                file.write(restore(outputs))

    app.run(run, argv=["pipeline.cluster.container", *given], flags_parser=tfx_program._parse_flags)


if __name__ == "__main__":
    main(sys.argv[1:])
