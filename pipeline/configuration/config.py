"""The configuration of a run: YAML layers and dotted overrides, checked by typed classes.

Layers, each over the one before: `configs/base.yaml`, `configs/models/MODEL.yaml`, where asked for
`configs/retraining.yaml`, `configs/instruments/NAME.yaml`, `--set a.b=value`. MODEL is what the last layer says under
`model:` when that is a word (`model: gru`) and not a group of settings.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field, PositiveInt, ValidationError, ValidationInfo, field_validator

from common.audio import AudioConfig
from common.errors import UserError
from common.settings import Settings
from components.browser_validator.config import BrowserValidatorConfig
from components.data_gate.config import DataGateConfig
from components.evaluator.config import EvaluatorConfig
from components.size_tuner.config import TunerConfig
from data.config import ExamplesConfig, ExtractionConfig
from models.config import ModelConfig
from models.training.config import LossConfig, TrainerConfig
from pipeline.configuration.beam import BeamConfig
from pipeline.configuration.resources import ClusterConfig

CONFIGS = Path(__file__).resolve().parents[2] / "configs"

# PyYAML itself raises the first only; what it reads values with (dates, numbers in odd bases, tags) any of the others.
NOT_YAML = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError)

Layer = tuple[str, dict[str, Any]]  # where it comes from, as a user knows it; its values

NOT_PUBLISHED: dict[str, Any] = {
    "report": {"voice"},
    "publishing": True,
    "cluster": True,
    "beam": set(BeamConfig.model_fields) - {"runner", "workers"},
}


class CreditConfig(Settings):
    """Who made a recording and on what terms: shown in the model card and the manifest."""

    work: str = Field(min_length=1, description="what was recorded")
    by: str = Field(min_length=1, description="who made it")
    licence: str = Field(min_length=1, description="SPDX name where there is one")
    source: str = Field(description="where it can be found")


class InstrumentConfig(Settings):
    """What the instrument is, for people."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", description="name of its folders and its pipeline")
    title: str = Field(min_length=1, description="as a page shows it")
    description: str
    licence: str = Field(min_length=1, description="of the trained model, SPDX name where there is one")
    credits: list[CreditConfig] = Field(description="of the recordings")


class PublishingConfig(Settings):
    """What stays published."""

    keep_versions: PositiveInt | None = Field(
        description="newest versions that a push leaves there, besides the served one, which always stays; null: all"
    )


class ReportConfig(Settings):
    """What the report plays and shows."""

    voice: str | None = Field(description="path of a voice clip to turn into the instrument")
    examples: Annotated[int, Field(ge=1, le=20)] = Field(description="eval windows to hear and see")


class Config(Settings):
    """The whole resolved configuration: it travels with every artifact and into the manifest."""

    instrument: InstrumentConfig
    audio: AudioConfig
    examples: ExamplesConfig
    data_gate: DataGateConfig
    model: ModelConfig
    loss: LossConfig
    trainer: TrainerConfig
    tuner: TunerConfig
    evaluator: EvaluatorConfig
    browser_validator: BrowserValidatorConfig
    publishing: PublishingConfig
    beam: BeamConfig
    cluster: ClusterConfig
    report: ReportConfig

    @field_validator("tuner")
    @classmethod
    def _rungs_end_before_training_does(cls, tuner: TunerConfig, info: ValidationInfo) -> TunerConfig:
        trainer = info.data.get("trainer")
        if tuner.enabled and trainer is not None and tuner.rungs[-1] >= trainer.steps:
            raise ValueError(f"the last of rungs {tuner.rungs} must be below trainer.steps, which is {trainer.steps}")
        return tuner

    @property
    def extraction(self) -> ExtractionConfig:
        """What RecordingExampleGen needs."""
        return ExtractionConfig(audio=self.audio, examples=self.examples)

    def to_json(self) -> str:
        """Canonical JSON of all that decides what is made: the same configuration gives the same bytes.

        It is published, so where a voice clip, an engine or a project lies is left out, and so are machines and how
        many versions are kept, which change nothing in a bundle.
        """
        return json.dumps(self.model_dump(mode="json", exclude=NOT_PUBLISHED), sort_keys=True, separators=(",", ":"))

    def hash(self) -> str:
        """SHA-256 of `to_json`, hex."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


def instruments(configs: Path = CONFIGS) -> list[str]:
    """The names of all instruments that have a configuration."""
    return sorted(path.stem for path in (configs / "instruments").glob("*.yaml"))


def defaults(model: str, configs: Path = CONFIGS) -> dict[str, Any]:
    """What every instrument starts from: `base.yaml`, and one of `models/` where there is one of that name."""
    values = {key: value for key, value in _read(configs / "base.yaml", configs)[1].items() if key != "model"}
    if (configs / "models" / f"{model}.yaml").is_file():
        values["model"] = _read(configs / "models" / f"{model}.yaml", configs)[1]
    return values


def load(
    instrument: str, overrides: Sequence[str] = (), configs: Path = CONFIGS, *, retraining: bool = False
) -> Config:
    """Resolve the configuration of one instrument.

    Args:
      instrument: name of a file in `configs/instruments`, without `.yaml`.
      overrides: `a.b=value`, the value in YAML; an element of a list is addressed by its `name` or its index.
      configs: the folder that holds base.yaml, models/ and instruments/.
      retraining: lay `retraining.yaml` under the instrument's own file.

    Raises:
      UserError: an unknown instrument or key, a wrong type or value; the message names the file (or `--set`) and key.
    """
    if instrument not in instruments(configs):
        known = instruments(configs)
        near = difflib.get_close_matches(instrument, known, n=1)
        raise UserError(
            f"no instrument {instrument!r}: {configs / 'instruments' / (instrument + '.yaml')} does not exist. "
            + (f"Did you mean {near[0]!r}? " if near else "")
            + f"Known: {', '.join(known)}. For a new one, copy one of those files and change its names and credits."
        )
    files = [*(["retraining.yaml"] if retraining else []), f"instruments/{instrument}.yaml"]
    above = [*(_read(configs / file, configs) for file in files), *map(_parse_override, overrides)]
    base = _read(configs / "base.yaml", configs)
    layers = [base, _model_layer([base, *above], configs), *above]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        if isinstance(layer.get("model"), str):
            layer = {key: value for key, value in layer.items() if key != "model"}
        _merge(values, layer, origin, origins)
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(_describe(error, values, origins))) from None
    if config.instrument.name != instrument:
        raise UserError(
            f"configs/instruments/{instrument}.yaml: instrument.name must be {instrument!r}, the name of its file"
        )
    return config


def _read(path: Path, configs: Path) -> Layer:
    name = f"configs/{path.relative_to(configs).as_posix()}"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{name}: no such file in {configs}") from None
    except NOT_YAML as error:
        raise UserError(f"{name}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"{name}: must hold settings (`key: value`), not {type(values).__name__}")
    return name, values


def _model_layer(layers: list[Layer], configs: Path) -> Layer:
    named = [(origin, layer["model"]) for origin, layer in layers if isinstance(layer.get("model"), str)]
    origin, model = named[-1] if named else ("configs/base.yaml", "")
    known = sorted(path.stem for path in (configs / "models").glob("*.yaml"))
    if model not in known:
        raise UserError(f"{origin}: model: no model {model!r}; known: {', '.join(known)}")
    name, values = _read(configs / "models" / f"{model}.yaml", configs)
    return name, {"model": values}


def _parse_override(text: str) -> Layer:
    path, equals, value = text.partition("=")
    if not equals or not re.fullmatch(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*", path):
        raise UserError(f"--set {text}: must look like a.b=value, for example --set trainer.steps=2000")
    try:
        parsed = yaml.safe_load(value)
    except NOT_YAML:
        raise UserError(f"--set {text}: the value {value!r} is not readable as YAML") from None
    for key in reversed(path.split(".")):
        parsed = {key: parsed}
    return f"--set {text}", parsed


def _merge(values: Any, layer: dict[str, Any], origin: str, origins: dict[str, str], at: str = "") -> None:
    """Lay `layer` over `values` in place and notes for every key which layer set it last."""
    for key, new in layer.items():
        slot = _slot(values, str(key), origin, at)
        dotted = f"{at}{key}"
        old = values.get(slot) if isinstance(values, dict) else values[slot]
        other_kind = (
            isinstance(old, dict) and isinstance(new, dict) and new.get("kind", old.get("kind")) != old.get("kind")
        )
        if isinstance(new, dict) and isinstance(old, dict | list) and not other_kind:
            _merge(old, new, origin, origins, dotted + ".")
        else:
            values[slot] = new
            for stale in [known for known in origins if known == dotted or known.startswith(dotted + ".")]:
                del origins[stale]
            origins[dotted] = origin  # now the newest entry: what was set last is what a faulty group is blamed on


def _slot(values: Any, key: str, origin: str, at: str) -> str | int:
    """The dict key, or the place in a list of an element by its name or its index."""
    if isinstance(values, dict):
        return key
    names = [element.get("name") if isinstance(element, dict) else None for element in values]
    if key in names:
        return names.index(key)
    if key.isdigit() and int(key) < len(values):
        return int(key)
    raise UserError(f"{origin}: {at.rstrip('.')} has no element {key!r}; it has {', '.join(map(str, names))}")


def _describe(error: ValidationError, values: dict[str, Any], origins: dict[str, str]) -> Iterator[str]:
    for fault in error.errors():
        keys = list(_plain_keys(fault["loc"], values))
        where = _origin(keys, origins)
        said = f", not {fault['input']!r}" if fault["type"] not in ("missing", "extra_forbidden", "value_error") else ""
        yield f"{where}: {'.'.join(keys)}: {_plain_message(fault)}{said}"


def _plain_keys(loc: Sequence[str | int], values: Any) -> Iterator[str]:
    """Turn pydantic's location into the keys a user wrote: union tags left out, list elements by name."""
    for key in loc:
        if isinstance(key, int) and isinstance(values, list) and key < len(values):
            values = values[key]
            yield values.get("name", str(key)) if isinstance(values, dict) else str(key)
        elif isinstance(values, dict) and key not in values and key in (values.get("kind"), values.get("type")):
            continue
        else:
            values = values.get(key) if isinstance(values, dict) else None
            yield str(key)


def _origin(keys: list[str], origins: dict[str, str]) -> str:
    """The layer that was the last to set a key, the group that it is in, or anything in the group that it is."""
    dotted = ".".join(keys) + "."
    related = [origin for at, origin in origins.items() if dotted.startswith(at + ".") or at.startswith(dotted)]
    return related[-1] if related else "configs/base.yaml"


def _plain_message(fault: Any) -> str:
    if fault["type"] == "extra_forbidden":
        return "unknown key"
    if fault["type"] == "missing":
        return "must be set"
    return str(fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
