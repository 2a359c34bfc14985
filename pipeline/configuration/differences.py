"""Settings of a configuration that differ from the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.ddsp.chain import DEFAULTS
from pipeline.configuration.loading import CONFIGS, defaults

LEFT_OUT = "instrument"  # name and credits: no instrument has them from the defaults


@dataclass(frozen=True)
class Difference:
    """One setting that differs.

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

    Settings that were added to the project after the configuration was resolved are left out: it did not have them.

    Args:
      configuration: of a manifest.
      configs: the folder that holds base.yaml and models/.
    """
    values = defaults(str(configuration["model"]["decoder"]["kind"]), configs)
    if "model" in values:  # a processor has the keys of its type, whether its file names them or not
        chain = [{**DEFAULTS[entry["type"]], **entry} for entry in values["model"]["processors"]]
        values["model"] = {**values["model"], "processors": chain}
    default = dict(_flat(values))
    own = {key: value for key, value in _flat(configuration) if key.partition(".")[0] != LEFT_OUT}
    return tuple(
        Difference(key, value, default.get(key)) for key, value in own.items() if value != default.get(key, _ABSENT)
    )


_ABSENT = object()


def _flat(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and the values that are no groups; a list of groups with names is a group."""
    children: Iterator[tuple[str, Any]]
    if isinstance(value, Mapping):
        children = iter(value.items())
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) and "name" in item for item in value):
        children = ((str(item["name"]), {key: of for key, of in item.items() if key != "name"}) for item in value)
    else:
        yield at, value
        return
    for key, child in children:
        yield from _flat(child, f"{at}.{key}" if at else str(key))
