"""The base of every configuration class: strict, immutable, documented. Values live in `configs/`, not here."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A group of settings. Unknown keys are errors; fields state their units and have bounds where these make sense."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, protected_namespaces=())
