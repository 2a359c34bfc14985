"""Write a compiled PipelineJob to the file given by --output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common import durable
from common.errors import UserError


def write_spec(path: Path, compiled: dict[str, Any]) -> None:
    """Write JSON, whole or not at all; folders on the way are made.

    Raises:
      UserError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable.write(path, (json.dumps(compiled, indent=1, sort_keys=True) + "\n").encode())
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}: choose another --output") from None
