"""The report's page: one self-contained HTML file, made from a template."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Table:
    """Rows of text under names; columns that are `numeric` line up on the right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()

    def numeric(self, column: int) -> bool:
        """Check whether a column holds numbers."""
        return column in self.numbers


def page(values: Mapping[str, Any]) -> str:
    """Fill the template. Every value is escaped, but for `Markup`.

    The page's own policy forbids it to load anything that is not inside, and to run any script but its own.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (FOLDER / "script.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("template.html").render(
        **values,
        script=Markup(script),
        script_hash=f"sha256-{digest}",
        style=Markup((FOLDER / "style.css").read_text(encoding="utf-8")),
    )


def write(path: Path, text: str) -> Path:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
    return path
