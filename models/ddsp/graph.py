"""The processor graph: a signal chain that is declared as a list (`models/ddsp/chain.py`), built and synthesised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from models.ddsp import effects
from models.ddsp.chain import DEFAULT_ENTRIES, DEFAULTS, check_entries
from models.ddsp.synths import FilteredNoise, Harmonic, Tensors

_REVERBS: dict[str, Callable[..., effects.Reverb]] = {
    "reverb_free": effects.FreeReverb,
    "reverb_exponential": effects.ExponentialDecayReverb,
    "reverb_filtered_noise": effects.FilteredNoiseReverb,
    "reverb_early_late": effects.EarlyLateReverb,
}


class ProcessorGraph(tf.Module):
    """Synthesisers, mixes and reverbs, connected as declared (ddsp.processors.ProcessorGroup).

    Attributes:
      raw_outputs: name -> channels of every output that a network must have. Names are the synthesiser's own
        (`amplitude`, `harmonic_distribution`, `noise_magnitudes`), prefixed by the node's name where two nodes have
        the same type.
      control_names: the same names; controls also contain `f0_hz`.
      audio_name, dry_name: the last node, and the input of the last reverb (the last node where there is none).
      reverb: the last reverb, or None.
      latency: samples by which `step` lags behind `get_dry`.

    Args:
      entries: mappings with `name`, `type` and the type's keys, as in `models.ddsp.chain`.
      sample_rate: Hz.
      frame_rate: Hz; divides sample_rate.
      seed: of fixed noise in reverbs and of their initial values.

    Raises:
      ValueError: entries are not a signal chain (see `check_entries`), or frame_rate does not divide sample_rate.
    """

    def __init__(
        self,
        entries: Sequence[Mapping[str, Any]] = DEFAULT_ENTRIES,
        *,
        sample_rate: int = 16000,
        frame_rate: int = 250,
        seed: int = 0,
    ):
        super().__init__(name="processors")
        check_entries(entries)
        if sample_rate % frame_rate:
            raise ValueError(f"frame_rate {frame_rate} does not divide sample_rate {sample_rate} evenly")
        self.sample_rate, self.frame_rate, self.hop = sample_rate, frame_rate, sample_rate // frame_rate
        self._entries = [dict(entry) for entry in entries]
        self._inputs = {entry["name"]: list(entry.get("inputs") or []) for entry in entries}
        self.synths: dict[str, Harmonic | FilteredNoise] = {}
        self.reverbs: dict[str, effects.Reverb] = {}
        for entry in entries:
            self._build(entry, seed)
        self._control_of = _control_names(self._entries, self.synths)
        self.raw_outputs = {
            control: synth.raw_outputs[own]
            for name, synth in self.synths.items()
            for own, control in self._control_of[name].items()
        }
        self.control_names = list(self.raw_outputs)
        self.audio_name: str = self._entries[-1]["name"]
        self.reverb = next(reversed(self.reverbs.values()), None)
        self.dry_name = self._inputs[next(reversed(self.reverbs))][0] if self.reverbs else self.audio_name
        self.needs_noise = any(isinstance(synth, FilteredNoise) for synth in self.synths.values())
        self.latency = max(synth.latency for synth in self.synths.values())

    def _build(self, entry: Mapping[str, Any], seed: int) -> None:
        kind = entry["type"]
        keys = {key: entry.get(key, default) for key, default in DEFAULTS[kind].items()}
        if kind == "harmonic":
            self.synths[entry["name"]] = Harmonic(sample_rate=self.sample_rate, hop=self.hop, **keys)
        elif kind == "filtered_noise":
            self.synths[entry["name"]] = FilteredNoise(hop=self.hop, sample_rate=self.sample_rate, **keys)
        elif kind in _REVERBS:
            taps = round(keys.pop("seconds") * self.sample_rate)
            if kind == "reverb_early_late":
                early = round(keys.pop("early_seconds") * self.sample_rate)
                keys = {"early_taps": early, "bands": keys["late_bands"], "sample_rate": self.sample_rate}
            self.reverbs[entry["name"]] = _REVERBS[kind](taps=taps, seed=seed, **keys)

    def own_controls(self, name: str, values: Mapping[str, tf.Tensor]) -> Tensors:
        """Select the values of one synthesiser, under its own names, and f0_hz where it needs that.

        Args:
          name: of the synthesiser.
          values: of all controls by name, shape [batch, frames, channels], and `f0_hz` [batch, frames, 1], Hz.

        Returns:
          Those of the synthesiser, in the same shapes.
        """
        own = {of: values[control] for of, control in self._control_of[name].items()}
        return {**own, "f0_hz": values["f0_hz"]} if isinstance(self.synths[name], Harmonic) else own

    def chain(self) -> list[tuple[str, list[str]]]:
        """Return every node with its inputs, in the order in which they are processed."""
        return [(entry["name"], self._inputs[entry["name"]]) for entry in self._entries]

    def get_controls(self, raw: Mapping[str, tf.Tensor], f0_hz: tf.Tensor) -> Tensors:
        """Convert network outputs to synthesiser controls.

        Args:
          raw: network outputs by name of `raw_outputs`, shape [batch, frames, channels].
          f0_hz: shape [batch, frames, 1], Hz.

        Returns:
          Controls of the same names and shapes, linear (see the synthesisers), and `f0_hz`.
        """
        controls: Tensors = {"f0_hz": f0_hz}
        for name, synth in self.synths.items():
            scaled = synth.get_controls(**self.own_controls(name, {**raw, "f0_hz": f0_hz}))
            controls.update({control: scaled[own] for own, control in self._control_of[name].items()})
        return controls

    def basis(self, f0_hz: tf.Tensor, lowest_hz: float | None = None) -> tf.Tensor | None:
        """Compute the sines of a batch for `get_signal`.

        Args:
          f0_hz: shape [batch, frames, 1], Hz.
          lowest_hz: see `Harmonic.basis`.

        Returns:
          Shape [batch, frames, hop, audible]; None without a harmonic synthesiser.
        """
        harmonics = [synth for synth in self.synths.values() if isinstance(synth, Harmonic)]
        if not harmonics:
            return None
        return max(harmonics, key=lambda synth: synth.harmonics).basis(f0_hz, lowest_hz)

    def get_signal(
        self, controls: Mapping[str, tf.Tensor], noise: tf.Tensor | None = None, basis: tf.Tensor | None = None
    ) -> Tensors:
        """Synthesise the signals of all nodes.

        Args:
          controls: of `get_controls`, each of shape [batch, frames, channels].
          noise: shape [batch, frames * hop], uniform in [-1, 1); needed where there is filtered noise.
          basis: `basis(f0_hz)`; computed where it is None.

        Returns:
          Name of a node -> its signal, shape [batch, frames * hop].
        """
        return self._signals(controls, noise, basis, self.audio_name)

    def get_dry(
        self, controls: Mapping[str, tf.Tensor], noise: tf.Tensor | None = None, basis: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Synthesise the signal before the last reverb, shape [batch, frames * hop]. Arguments: see `get_signal`."""
        return self._signals(controls, noise, basis, self.dry_name)[self.dry_name]

    def _signals(
        self, controls: Mapping[str, tf.Tensor], noise: tf.Tensor | None, basis: tf.Tensor | None, last: str
    ) -> Tensors:
        if self.needs_noise and noise is None:
            raise ValueError("this graph filters noise: give it noise of shape [batch, samples]")
        signals: Tensors = {}
        for entry in self._entries:
            name = entry["name"]
            if name in self.synths:
                synth, own = self.synths[name], self.own_controls(name, controls)
                signals[name] = synth.get_signal(
                    **own, **({"basis": basis} if isinstance(synth, Harmonic) else {"noise": noise})
                )
            else:
                signals[name] = self._process(name, signals)
            if name == last:
                break
        return signals

    def _process(self, name: str, signals: Mapping[str, tf.Tensor]) -> tf.Tensor:
        inputs = [signals[source] for source in self._inputs[name]]
        return self.reverbs[name].get_signal(inputs[0]) if name in self.reverbs else tf.add_n(inputs)

    def initial_state(self, batch: int | tf.Tensor = 1) -> Tensors:
        """Return the state of `step` before the first frame, flat: `NODE/PART` -> tensor [batch, ...]."""
        state: Tensors = {}
        for name, synth in self.synths.items():
            state.update({f"{name}/{part}": value for part, value in synth.initial_state(batch).items()})
            state[f"{name}/delay"] = tf.zeros([batch, self.latency - synth.latency])
        return state

    def step(
        self, controls: Mapping[str, tf.Tensor], state: Mapping[str, tf.Tensor], noise: tf.Tensor | None = None
    ) -> tuple[tf.Tensor, Tensors]:
        """Synthesise the next frames of a stream: chunk by chunk the same dry signal as `get_dry` of the whole.

        A reverb before the dry node cannot be streamed.

        Args:
          controls: of the new frames, each of shape [batch, frames, channels].
          state: after the frames before, or `initial_state`.
          noise: shape [batch, frames * hop], uniform in [-1, 1); needed where there is filtered noise.

        Returns:
          The dry signal [batch, frames * hop], `latency` samples late, and the state after these frames.
        """
        signals: Tensors = {}
        new_state: Tensors = {}
        for entry in self._entries:
            name = entry["name"]
            if name in self.synths:
                signals[name], parts = self._step_synth(name, controls, state, noise)
                new_state.update(parts)
            elif name in self.reverbs:
                raise ValueError(f"{name}: a reverb before the dry signal cannot be streamed")
            else:
                signals[name] = self._process(name, signals)
            if name == self.dry_name:
                break
        return signals[self.dry_name], new_state

    def _step_synth(
        self, name: str, controls: Mapping[str, tf.Tensor], state: Mapping[str, tf.Tensor], noise: tf.Tensor | None
    ) -> tuple[tf.Tensor, Tensors]:
        synth, prefix = self.synths[name], f"{name}/"
        own_state = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        delay = own_state.pop("delay")
        extra = {} if isinstance(synth, Harmonic) else {"noise": noise}
        signal, parts = synth.step(**self.own_controls(name, controls), **extra, state=own_state)
        samples = tf.shape(signal)[1]
        delayed = tf.concat([delay, signal], axis=1)  # the quicker synthesisers wait for the slowest
        parts["delay"] = delayed[:, samples:]
        return delayed[:, :samples], {prefix + part: value for part, value in parts.items()}


def _control_names(
    entries: Sequence[Mapping[str, Any]], synths: Mapping[str, Harmonic | FilteredNoise]
) -> dict[str, dict[str, str]]:
    """Map every synthesiser's own names of its controls to their names in the graph."""
    kinds = [entry["type"] for entry in entries]
    return {
        entry["name"]: {
            own: f"{entry['name']}_{own}" if kinds.count(entry["type"]) > 1 else own
            for own in synths[entry["name"]].raw_outputs
        }
        for entry in entries
        if entry["name"] in synths
    }
