"""The manifest: the contract between the pipeline and whatever plays a bundle. Its schema is `manifest.schema.json`."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

FORMAT = "swara-bundle"
FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"
CARD_FILE = "README.md"
SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")

Manifest = dict[str, Any]

MOST_BYTES = 2**24  # of a manifest
MOST_DEPTH = 64


class InvalidBundle(ValueError):
    """A bundle that does not match its manifest, or a manifest its schema; the message names file and field."""


def dumps(manifest: Mapping[str, Any]) -> bytes:
    """Serialize a manifest: equal manifests give equal bytes."""
    return json.dumps(manifest, separators=(",", ":"), sort_keys=True, allow_nan=False, ensure_ascii=False).encode()


def load(folder: Path) -> Manifest:
    """Read and check the manifest of a bundle.

    Raises:
      InvalidBundle: there is no manifest, it is not JSON, or it does not follow the schema.
    """
    path = folder / MANIFEST_FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InvalidBundle(f"{path}: has {path.stat().st_size:,} bytes; a manifest has {MOST_BYTES:,} at most")
        manifest = json.loads(path.read_bytes())
        check_finite(manifest, str(path))
    except FileNotFoundError:
        raise InvalidBundle(f"{path}: no such file; {folder} is not a bundle") from None
    except InvalidBundle:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"{path}: not JSON: {error}") from None
    check_schema(manifest, str(path))
    return dict(manifest)


def check_finite(value: Any, where: str, at: str = "", depth: int = 0) -> None:
    """Check that every number is finite; Python reads NaN, Infinity and 1e999, which JSON does not have.

    Raises:
      InvalidBundle: names the first field that is not, or that lies too deep.
    """
    if depth > MOST_DEPTH:
        raise InvalidBundle(f"{where}: {at[1:80]}...: lies more than {MOST_DEPTH} levels deep")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidBundle(f"{where}: {at[1:]}: is not finite")
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        check_finite(inner, where, f"{at}/{key}", depth + 1)


def check_schema(manifest: Any, where: str = MANIFEST_FILE) -> None:
    """Check a manifest against the JSON Schema.

    Raises:
      InvalidBundle: names the first field that is wrong.
    """
    errors = sorted(_validator().iter_errors(manifest), key=lambda error: [str(part) for part in error.absolute_path])
    if errors:
        field = "/".join(map(str, errors[0].absolute_path)) or "(root)"
        raise InvalidBundle(f"{where}: {field}: {errors[0].message[:300]}")


@cache
def _validator() -> Any:
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def check_files(folder: Path, manifest: Manifest) -> None:
    """Check that a bundle's files are those that its manifest lists, byte for byte, and no others.

    Raises:
      InvalidBundle: names the first file that is missing, changed, or not listed.
    """
    listed = {file["path"]: file for file in manifest["files"]}
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST_FILE}
    for name in sorted(listed.keys() | present):
        if name not in listed:
            raise InvalidBundle(f"{folder / name}: not listed in {MANIFEST_FILE}")
        if name not in present:
            raise InvalidBundle(f"{folder / name}: missing, though {MANIFEST_FILE} lists it")
        size, stated = (folder / name).stat().st_size, listed[name]["bytes"]
        if size != stated:  # before it is read
            raise InvalidBundle(
                f"{folder / name}: its bytes are not those that {MANIFEST_FILE} lists: they are {size}, not {stated}"
            )
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != listed[name]["sha256"]:
            raise InvalidBundle(f"{folder / name}: its bytes are not those that {MANIFEST_FILE} lists")


def describe_file(folder: Path, name: str) -> dict[str, Any]:
    """Return the entry of `files`: path in the bundle, bytes, bytes after gzip -9, SHA-256."""
    stored = (folder / name).read_bytes()
    return {
        "path": name,
        "bytes": len(stored),
        "gzip_bytes": gzip_size(stored),
        "sha256": hashlib.sha256(stored).hexdigest(),
    }


def gzip_size(stored: bytes) -> int:
    """Count the bytes after gzip -9."""
    return len(gzip.compress(stored, 9, mtime=0))


def content_hash(manifest: Mapping[str, Any]) -> str:
    """Compute the SHA-256, hex, of the content of a bundle, which does not depend on when and where it was made.

    Left out: times, the metrics that a push adds, and the model card, which is made from the rest.
    """
    content = {key: value for key, value in manifest.items() if key not in ("created", "metrics")}
    content["training"] = {key: value for key, value in manifest["training"].items() if key != "seconds"}
    content["files"] = [file for file in manifest["files"] if file["path"] != CARD_FILE]
    return hashlib.sha256(dumps(content)).hexdigest()


def download(manifest: Manifest, folders: Iterable[str]) -> dict[str, int]:
    """Count the bytes that a page fetches, plain and after gzip: manifest, reverb and files of the given graphs."""
    stored = dumps(manifest)
    prefixes = tuple(f"{folder}/" for folder in folders)
    reverb = manifest["reverb"] or {}
    files = [f for f in manifest["files"] if f["path"].startswith(prefixes) or f["path"] == reverb.get("file")]
    return {
        "bytes": len(stored) + sum(file["bytes"] for file in files),
        "gzip_bytes": gzip_size(stored) + sum(file["gzip_bytes"] for file in files),
    }


def finite(values: Mapping[str, Any]) -> dict[str, Any]:
    """Replace NaN and infinity, which JSON does not have, by None."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value for key, value in values.items()
    }
