"""Write a compiled PipelineJob to the file given by --output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.output_file import written


def write_spec(path: Path, compiled: dict[str, Any]) -> None:
    """Write JSON, whole or not at all, through symbolic links and into devices; folders on the way are made.

    Raises:
      UserError: the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as part:
            part.write_text(json.dumps(compiled, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror}: choose another --output") from None
