"""The artifact of DataGate."""

from tfx.types import artifact


class AcceptedData(artifact.Artifact):
    """The verdict on a batch of recordings and its training statistics, against which the next span is compared.

    Its custom property `span` is that of the batch (Kubeflow has no declared properties for types that are not TFX's).
    It exists only for batches that were accepted: a refusal stops the run before anything is published.
    """

    TYPE_NAME = "components.AcceptedData"  # Kubeflow requires `package.Class`, and imports the class by that path
