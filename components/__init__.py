"""The pipeline's components. `components.AcceptedData` is the path by which Kubeflow finds that type of artifact."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "AcceptedData":
        from components.data_gate.artifact import AcceptedData  # TFX takes seconds to import: not before it is needed

        return AcceptedData
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
