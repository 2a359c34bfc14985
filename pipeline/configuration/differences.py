"""What in a configuration is not as every instrument starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.configuration.loading import CONFIGS, defaults

LEFT_OUT = "instrument"  # says who is who: no instrument has it from the defaults


@dataclass(frozen=True)
class Difference:
    """One setting.

    Attributes:
      key: dotted, elements of lists by their names, as `--set` takes it.
      value: in the configuration.
      default: in base.yaml or in the model's file; None where they do not have the setting.
    """

    key: str
    value: Any
    default: Any


def from_defaults(configuration: Mapping[str, Any], configs: Path = CONFIGS) -> tuple[Difference, ...]:
    """Compare a resolved configuration with `base.yaml` and the file of its model.

    Settings that came into being after the configuration was resolved are left out: they say nothing of it.

    Args:
      configuration: as a manifest holds it.
      configs: the folder that holds base.yaml and models/.
    """
    started = defaults(str(configuration["model"]["decoder"]["kind"]), configs)
    before = dict(_flat(started))
    now = {key: value for key, value in _flat(configuration) if key.partition(".")[0] != LEFT_OUT}
    return tuple(
        Difference(key, value, before.get(key)) for key, value in now.items() if value != before.get(key, _ABSENT)
    )


_ABSENT = object()


def _flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values that are no groups; a list of groups with names is a group."""
    children: Iterator[tuple[str, Any]]
    if isinstance(value, Mapping):
        children = iter(value.items())
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) and "name" in one for one in value):
        children = ((str(one["name"]), {key: of for key, of in one.items() if key != "name"}) for one in value)
    else:
        yield at, value
        return
    for key, child in children:
        yield from _flat(child, f"{at}.{key}" if at else str(key))
