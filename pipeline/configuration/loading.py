"""Load a configuration: YAML layers and dotted overrides, merged and checked.

Layers, each over the one before: `configs/base.yaml`, `configs/models/MODEL.yaml`, for a retraining
`configs/retraining.yaml`, `configs/instruments/NAME.yaml`, `--set a.b=value`. MODEL is the value of `model:` in the
last layer that gives it as a word (`model: gru`) and not as a group of settings.
"""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from common.errors import UserError
from common.text import one_line, shown
from pipeline.configuration.config import Config
from pipeline.configuration.yaml_text import MOST_CHARACTERS, NOT_YAML, RefusedYamlError, parse

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

MOST_FAULTS = 3  # that one message names
MOST_ORIGIN = 200  # characters of a setting, where a message names it as the origin of a fault

Layer = tuple[str, dict[str, Any]]  # its origin, as a user names it, and its values


def instruments(configs: Path = CONFIGS) -> list[str]:
    """List the names of all instruments that have a configuration."""
    return sorted(path.stem for path in (configs / "instruments").glob("*.yaml"))


def defaults(model: str, configs: Path = CONFIGS) -> dict[str, Any]:
    """Read the values that every instrument starts from: `base.yaml`, and the model's file in `models/` if any."""
    values = {key: value for key, value in _read(configs / "base.yaml", configs)[1].items() if key != "model"}
    if (configs / "models" / f"{model}.yaml").is_file():
        values["model"] = _read(configs / "models" / f"{model}.yaml", configs)[1]
    return values


def load(
    instrument: str,
    overrides: Sequence[str] = (),
    configs: Path = CONFIGS,
    *,
    retraining: bool = False,
    inherited: Layer | None = None,
) -> Config:
    """Resolve the configuration of one instrument.

    Args:
      instrument: name of a file in `configs/instruments`, without `.yaml`.
      overrides: `a.b=value`, the value in YAML; an element of a list is addressed by its `name` or its index.
      configs: the folder that holds base.yaml, models/ and instruments/.
      retraining: lay `retraining.yaml` under the instrument's own file.
      inherited: a layer under that and over the defaults.

    Raises:
      UserError: an unknown instrument or key, a wrong type or value; the message names the file (or `--set`) and key.
    """
    _check_exists(instrument, configs)
    files = [*(["retraining.yaml"] if retraining else []), f"instruments/{instrument}.yaml"]
    above = [*(_read(configs / file, configs) for file in files), *map(_parse_override, overrides)]
    base = _read(configs / "base.yaml", configs)
    layers = [base, _model_layer([base, *above], configs), *([inherited] if inherited else []), *above]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        if isinstance(layer.get("model"), str):
            layer = {key: value for key, value in layer.items() if key != "model"}
        _merge(values, layer, origin, origins)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise UserError(_describe(error, values, origins)) from None
    if config.instrument.name != instrument:
        raise UserError(
            f"configs/instruments/{instrument}.yaml: instrument.name must be {instrument!r}, the name of its file"
        )
    return config


def _check_exists(instrument: str, configs: Path) -> None:
    known = instruments(configs)
    if instrument in known:
        return
    near = difflib.get_close_matches(instrument, known, n=1)
    raise UserError(
        f"no instrument {shown(instrument)}: {configs / 'instruments'} has no {shown(instrument + '.yaml')}. "
        + (f"Did you mean {near[0]!r}? " if near else "")
        + f"Known: {', '.join(known)}. For a new one, copy one of those files and change its names and credits."
    )


def _read(path: Path, configs: Path) -> Layer:
    name = f"configs/{path.relative_to(configs).as_posix()}"
    try:
        values = parse(_text(path))
    except FileNotFoundError:
        raise UserError(f"{name}: no such file in {configs}") from None
    except OSError as error:
        raise UserError(f"{name}: cannot be read: {error.strerror}") from None
    except RefusedYamlError as error:
        raise UserError(f"{name}: {error}") from None
    except NOT_YAML as error:
        raise UserError(f"{name}: not readable as YAML: {one_line(' '.join(str(error).split()), 500)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{name}: must hold settings (`key: value`), not {type(values).__name__}")
    return name, values


def _text(path: Path) -> str:
    """Read a file of settings, or as much as shows that it is too long."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise RefusedYamlError("is no plain file: settings are read from one")
    with path.open(encoding="utf-8") as file:
        return file.read(MOST_CHARACTERS + 1)


def _model_layer(layers: list[Layer], configs: Path) -> Layer:
    named = [(origin, layer["model"]) for origin, layer in layers if isinstance(layer.get("model"), str)]
    origin, model = named[-1] if named else ("configs/base.yaml", "")
    known = sorted(path.stem for path in (configs / "models").glob("*.yaml"))
    if model not in known:
        raise UserError(f"{origin}: model: no model {shown(model)}; known: {', '.join(known)}")
    name, values = _read(configs / "models" / f"{model}.yaml", configs)
    return name, {"model": values}


def _parse_override(text: str) -> Layer:
    path, equals, value = text.partition("=")
    origin = f"--set {one_line(text, MOST_ORIGIN)}"
    if not equals or not re.fullmatch(r"[A-Za-z0-9_]{1,64}(\.[A-Za-z0-9_]{1,64}){0,15}", path):
        raise UserError(f"{origin}: must look like a.b=value, for example --set trainer.steps=2000")
    try:
        parsed = parse(value)
    except RefusedYamlError as error:
        raise UserError(f"{origin}: the value {error}") from None
    except NOT_YAML:
        raise UserError(f"{origin}: the value {shown(value)} is not readable as YAML") from None
    for key in reversed(path.split(".")):
        parsed = {key: parsed}
    return origin, parsed


def _merge(values: Any, layer: dict[str, Any], origin: str, origins: dict[str, str], at: str = "") -> None:
    """Merge `layer` into `values`, and record in `origins`, for every key, the layer that set it last."""
    for key, new in layer.items():
        index = _index(values, str(key), origin, at)
        dotted = f"{at}{key}"
        old = values.get(index) if isinstance(values, dict) else values[index]
        other_kind = (
            isinstance(old, dict) and isinstance(new, dict) and new.get("kind", old.get("kind")) != old.get("kind")
        )
        if isinstance(new, dict) and isinstance(old, dict | list) and not other_kind:
            _merge(old, new, origin, origins, dotted + ".")
        else:
            values[index] = new
            for stale in [known for known in origins if known == dotted or known.startswith(dotted + ".")]:
                del origins[stale]
            origins[dotted] = origin  # now the newest entry: a faulty group is blamed on the layer that set it last


def _index(values: Any, key: str, origin: str, at: str) -> str | int:
    """Return the key in a dict, or the index in a list of the element with that name or index."""
    if isinstance(values, dict):
        return key
    names = [_name(element) for element in values]
    if key in names:
        return names.index(key)
    if key.isdecimal() and len(key) < 10 and int(key) < len(values):
        return int(key)
    known = ", ".join(name if name is not None else str(index) for index, name in enumerate(names))
    raise UserError(f"{origin}: {at.rstrip('.')} has no element {shown(key)}; it has {one_line(known, 500) or 'none'}")


def _name(element: Any) -> str | None:
    """Return the name of an element of a list; None where it has none, or a name that is no text."""
    name = element.get("name") if isinstance(element, dict) else None
    return name if isinstance(name, str) else None


def _describe(error: ValidationError, values: dict[str, Any], origins: dict[str, str]) -> str:
    """Describe the first faults in one line, and count the others."""
    faults = error.errors(include_url=False)
    more = f"; and {len(faults) - MOST_FAULTS} more" if len(faults) > MOST_FAULTS else ""
    return "; ".join(_describe_one(fault, values, origins) for fault in faults[:MOST_FAULTS]) + more


def _describe_one(fault: Any, values: dict[str, Any], origins: dict[str, str]) -> str:
    keys = list(_plain_keys(fault["loc"], values))
    has_value = fault["type"] not in ("missing", "extra_forbidden", "value_error")
    value = f", not {shown(fault['input'])}" if has_value else ""
    where = f"{_origin(keys, origins)}: {one_line('.'.join(keys), MOST_ORIGIN)}"
    return f"{where}: {one_line(_plain_message(fault), 300)}{value}"


def _plain_keys(loc: Sequence[str | int], values: Any) -> Iterator[str]:
    """Turn pydantic's location into the keys a user wrote: union tags left out, list elements by name."""
    for key in loc:
        if isinstance(key, int) and isinstance(values, list) and key < len(values):
            values = values[key]
            yield _name(values) or str(key)
        elif isinstance(values, dict) and key not in values and key in (values.get("kind"), values.get("type")):
            continue
        else:
            values = values.get(key) if isinstance(values, dict) else None
            yield str(key)


def _origin(keys: list[str], origins: dict[str, str]) -> str:
    """Return the layer that was the last to set a key, the group around it, or a key of the group that it is."""
    dotted = ".".join(keys) + "."
    related = [origin for at, origin in origins.items() if dotted.startswith(at + ".") or at.startswith(dotted)]
    return related[-1] if related else "configs/base.yaml"


def _plain_message(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "must be set"
    return str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
