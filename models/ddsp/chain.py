"""Signal chains as data: a list of processors, its rules and its defaults. It does not import TensorFlow.

    - {name: harmonic, type: harmonic, harmonics: 60, envelope: window}
    - {name: noise, type: filtered_noise, bands: 65, initial_bias: -5.0}
    - {name: dry, type: mix, inputs: [harmonic, noise]}
    - {name: reverb, type: reverb_free, seconds: 1.0, inputs: [dry]}

The signal of the last entry is the audio. Inputs of an entry are names of entries above it, so there are no cycles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DEFAULT_ENTRIES: tuple[dict[str, Any], ...] = (
    {"name": "harmonic", "type": "harmonic"},
    {"name": "noise", "type": "filtered_noise"},
    {"name": "dry", "type": "mix", "inputs": ["harmonic", "noise"]},
    {"name": "reverb", "type": "reverb_free", "inputs": ["dry"]},
)

# type -> the keys that it has besides name, type and inputs, and their defaults, which are defined here alone
DEFAULTS: dict[str, dict[str, Any]] = {
    "harmonic": {"harmonics": 60, "envelope": "window"},
    "filtered_noise": {"bands": 65, "initial_bias": -5.0, "spacing": "linear"},
    "mix": {},
    "reverb_free": {"seconds": 1.0},
    "reverb_exponential": {"seconds": 1.0},
    "reverb_filtered_noise": {"seconds": 1.0, "frames": 500, "bands": 32},
    "reverb_early_late": {"seconds": 1.0, "early_seconds": 0.1, "late_bands": 10},
}
_LEAST: dict[str, float] = {  # of keys that are numbers
    **{"harmonics": 1, "bands": 3, "frames": 1, "late_bands": 2},
    **{"seconds": 1e-3, "early_seconds": 1e-3},
}
SYNTHESISERS = ("harmonic", "filtered_noise")


def check_entries(entries: Sequence[Mapping[str, Any]]) -> None:
    """Check that a list of entries is a signal chain.

    Args:
      entries: mappings with `name`, `type` and the type's keys; see above.

    Raises:
      ValueError: an unknown type or key, a number out of range, a name used twice, an input that is not above its
        entry, a node that nothing uses, a wrong number of inputs, no synthesiser. The message names the entry.
    """
    if not entries:
        raise ValueError("a processor graph needs at least one entry")
    seen: set[str] = set()
    unused: list[str] = []
    for index, entry in enumerate(entries):
        name = entry.get("name")
        if not name:
            raise ValueError(f"entry {index} of the processor graph has no name")
        if name in seen:
            raise ValueError(f"{name}: two entries of the processor graph have this name")
        _check_entry(name, entry, seen)
        unused = [source for source in unused if source not in (entry.get("inputs") or [])] + [name]
        seen.add(name)
    if len(unused) > 1:
        raise ValueError(f"{unused[0]}: nothing uses this entry, and the last one ({unused[-1]}) is the audio")
    if not any(entry["type"] in SYNTHESISERS for entry in entries):
        raise ValueError("a processor graph needs a synthesiser: harmonic or filtered_noise")


def _check_entry(name: str, entry: Mapping[str, Any], above: set[str]) -> None:
    kind, inputs = entry.get("type"), entry.get("inputs") or []
    if kind not in DEFAULTS:
        raise ValueError(f"{name}: no processor type {kind!r}; known: {', '.join(DEFAULTS)}")
    for key in entry:
        if key not in {"name", "type", "inputs", *DEFAULTS[kind]}:
            raise ValueError(f"{name}: unknown key {key!r}; keys of {kind}: {', '.join(DEFAULTS[kind]) or 'none'}")
        if key in _LEAST and not _is_number_from(_LEAST[key], entry[key], whole=not key.endswith("seconds")):
            raise ValueError(f"{name}: {key} must be a number of at least {_LEAST[key]}, not {entry[key]!r}")
    for source in inputs:
        if source not in above:
            raise ValueError(f"{name}: input {source!r} is not the name of an entry above it")
    least, most = (0, 0) if kind in SYNTHESISERS else (1, len(above) if kind == "mix" else 1)
    if not least <= len(inputs) <= max(least, most):
        raise ValueError(f"{name}: {kind} takes {'no input' if not most else 'one input' if most == 1 else 'inputs'}")


def _is_number_from(least: float, value: Any, *, whole: bool) -> bool:
    return isinstance(value, int if whole else (int, float)) and not isinstance(value, bool) and value >= least


def check_playable(entries: Sequence[Mapping[str, Any]]) -> None:
    """Check that a signal chain can be streamed and exported: it has one reverb at most, as its last entry.

    Raises:
      ValueError: it is no signal chain (see `check_entries`), or a reverb is elsewhere.
    """
    check_entries(entries)
    reverbs = [entry["name"] for entry in entries if entry["type"].startswith("reverb_")]
    if reverbs not in ([], [entries[-1]["name"]]):
        raise ValueError(f"{reverbs[0]}: an instrument that is played live has one reverb at most, as its last entry")
