"""What DataGate leaves behind."""

from tfx.types import artifact


class AcceptedData(artifact.Artifact):
    """The verdict on a batch of recordings and its training statistics, against which the next span is compared.

    It exists only for batches that were accepted: a refusal stops the run before anything is published.
    """

    TYPE_NAME = "components.data_gate.artifact.AcceptedData"
    PROPERTIES = {"span": artifact.Property(type=artifact.PropertyType.INT)}  # noqa: RUF012
