"""The signal chain of a manifest as a player runs it: synthesisers whose sounds are added up, then one reverb."""

from __future__ import annotations

from dataclasses import dataclass

from player.description import Node, Synthesiser

SYNTHESISERS = {"harmonic": ("amplitude", "harmonic_distribution"), "filtered_noise": ("noise_magnitudes",)}


@dataclass(frozen=True)
class Part:
    """A synthesiser of the chain.

    Attributes:
      node: its description.
      controls: names of its controls among the network's outputs, in the order of `SYNTHESISERS`.
      gain: how often the chain adds it to the dry sound.
    """

    node: Node
    controls: tuple[str, ...]
    gain: float

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each control."""
        return (1, self.node.harmonics) if self.node.type == "harmonic" else (self.node.bands,)


def describe_chain(synthesiser: Synthesiser) -> list[Part]:
    """Resolve a signal chain.

    Raises:
      ValueError: a reverb is anywhere but at its end, a part is unknown, or an input does not stand above; the message
        names the node.
    """
    nodes = {node.name: node for node in synthesiser.nodes}
    if len(nodes) < len(synthesiser.nodes):
        raise ValueError("synthesiser: two nodes have one name")
    last = nodes.get(synthesiser.audio)
    if last is None:
        raise ValueError(f"synthesiser: has no node {synthesiser.audio}")
    is_reverb = last.type.startswith("reverb_") and last.inputs == [synthesiser.dry]
    if synthesiser.audio != synthesiser.dry and not is_reverb:
        raise ValueError(f"synthesiser: {synthesiser.audio} is not the reverb of {synthesiser.dry}")
    gains = _gains(synthesiser)
    kinds = [node.type for node in synthesiser.nodes]
    return [
        Part(node, tuple(f"{node.name}_{own}" if kinds.count(node.type) > 1 else own for own in owns), gains[node.name])
        for node in synthesiser.nodes
        if (owns := SYNTHESISERS.get(node.type)) and gains.get(node.name)
    ]


def _gains(synthesiser: Synthesiser) -> dict[str, float]:
    """Count how often each node is in the dry sound, from that node to those above it."""
    gains: dict[str, float] = {synthesiser.dry: 1.0}
    above = [node.name for node in synthesiser.nodes]
    if synthesiser.dry not in above:
        raise ValueError(f"synthesiser: has no node {synthesiser.dry}")
    for node in reversed(synthesiser.nodes):
        above.pop()
        gain = gains.get(node.name)
        if gain is None or node.type in SYNTHESISERS:
            continue
        if node.type != "mix":
            raise ValueError(f"synthesiser: {node.name}: {node.type} before the dry signal")
        for source in node.inputs or []:
            if source not in above:
                raise ValueError(f"synthesiser: {node.name}: no node {source} above it")
            gains[source] = gains.get(source, 0.0) + gain
    return gains
