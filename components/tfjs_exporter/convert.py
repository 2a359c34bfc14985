"""Runs the TensorFlow.js converter on a SavedModel, in a process of its own.

    python -m components.tfjs_exporter.convert PARENT SAVED_MODEL FOLDER SIGNATURE ...

Importing the converter loads an old Keras, which patches TensorFlow's registries: nothing that a process which goes on
to train or serve should hold. It ends with the process PARENT.
Written to FOLDER: `SIGNATURE/model.json` with its weights in float32, `outputs.json` (signature -> output -> tensor of
that graph) and `ir.npz`, the impulse response.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from common.processes.parent import end_with

IR_FILE = "ir.npz"
OUTPUTS_FILE = "outputs.json"


def convert(saved_model: Path, folder: Path, signatures: Sequence[str]) -> dict[str, dict[str, str]]:
    """Convert signatures of a SavedModel in a subprocess.

    Returns:
      For every signature, where its outputs are: name -> tensor of the graph in `folder/SIGNATURE`.

    Raises:
      RuntimeError: the converter failed; the message ends with its own.
    """
    paths = (str(saved_model.resolve()), str(folder.resolve()))
    command = [sys.executable, "-m", __name__, str(os.getpid()), *paths, *signatures]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise RuntimeError(f"converting {saved_model} to TensorFlow.js failed:\n{errors}")
    outputs: dict[str, dict[str, str]] = json.loads((folder / OUTPUTS_FILE).read_text(encoding="utf-8"))
    return outputs


def use_bare_packages() -> None:
    """Make the converter importable without running its packages' `__init__.py`.

    These import converters of other formats, which need JAX, Flax and Orbax. The converter of SavedModels imports
    TensorFlow Decision Forests for the ops of such forests alone, and no graph of ours has one. None is installed.
    """
    for name in ("tensorflowjs", "tensorflowjs.converters"):
        spec = importlib.util.find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        sys.modules[name] = importlib.util.module_from_spec(spec)  # with its __path__, but not executed
    sys.modules["tensorflow_decision_forests"] = ModuleType("tensorflow_decision_forests")


def main(parent: str, saved_model: str, folder: str, *signatures: str) -> None:
    """Run the converter: the main function of the subprocess."""
    end_with(int(parent))
    import numpy as np
    import tensorflow as tf

    use_bare_packages()
    from tensorflowjs.converters.tf_saved_model_conversion_v2 import convert_tf_saved_model

    target = Path(folder)
    loaded = tf.saved_model.load(saved_model)
    outputs = {}
    for name in signatures:
        convert_tf_saved_model(saved_model, str(target / name), signature_def=name)
        function = loaded.signatures[name]
        # Outputs of a signature are flattened in the order of their sorted names.
        tensors = [tensor.name for tensor in function.outputs]
        outputs[name] = dict(zip(sorted(function.structured_outputs), tensors, strict=True))
    (target / OUTPUTS_FILE).write_text(json.dumps(outputs), encoding="utf-8")
    response = loaded.signatures["impulse_response"]()
    np.savez(target / IR_FILE, **{name: values.numpy() for name, values in response.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
