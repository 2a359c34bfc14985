"""Make the files of a release: the sources, the built page, what both depend on (CycloneDX), and the sums of all.

`make release` writes build/release. The sources are those of the last commit, and the same commit gives the same bytes.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import subprocess
import tarfile
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "release"
STACKS = ("new", "old")
PIN = re.compile(r"^(?P<name>[^\s=]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+?))?(?: \\)?$", re.MULTILINE)
SUMS = "SHA256SUMS"

Component = dict[str, Any]


def python_components(stack: str, lock: str) -> Iterator[Component]:
    """Yield the pins of a lock. Files of a package have hashes of their own, which the lock itself holds."""
    for pin in PIN.finditer(lock):
        name = re.sub(r"[-_.]+", "-", pin["name"]).lower()
        properties = {"swara:set": stack, **({"swara:marker": pin["marker"]} if pin["marker"] else {})}
        yield _component(name, pin["version"], f"pkg:pypi/{name}@{quote(pin['version'])}", properties)


def web_components(lock: Mapping[str, Any]) -> Iterator[Component]:
    """Yield the packages of web/package-lock.json, each with the hash of its archive."""
    for path, package in lock["packages"].items():
        _, _, name = path.rpartition("node_modules/")
        if not path or package.get("link"):
            continue  # the page itself, and the engine beside it
        url = f"pkg:npm/{quote(name, safe='/')}@{quote(package['version'])}"
        made = _component(name, package["version"], url, {"swara:set": "web"})
        if package.get("dev"):
            made["scope"] = "excluded"  # builds and tests the page, and is not in it
        algorithm, _, digest = package.get("integrity", "").partition("-")
        if algorithm == "sha512":
            made["hashes"] = [{"alg": "SHA-512", "content": base64.b64decode(digest).hex()}]
        yield made


def _component(name: str, version: str, url: str, properties: Mapping[str, str]) -> Component:
    listed = [{"name": key, "value": value} for key, value in properties.items()]
    return {"type": "library", "name": name, "version": version, "purl": url, "bom-ref": url, "properties": listed}


def bill_of_materials(components: Iterator[Component], version: str, made: datetime) -> dict[str, Any]:
    """Return a CycloneDX 1.6 document. A package that several sets have is one component, with all its properties."""
    by_reference: dict[str, Component] = {}
    for component in components:
        known = by_reference.setdefault(component["bom-ref"], component)
        if known is not component:
            known["properties"] += [one for one in component["properties"] if one not in known["properties"]]
    listed = [by_reference[reference] for reference in sorted(by_reference)]
    root = {"type": "application", "name": "swara", "version": version, "bom-ref": f"swara@{version}"}
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": made.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": root},
        "components": listed,
        "dependencies": [{"ref": root["bom-ref"], "dependsOn": [one["bom-ref"] for one in listed]}],
    }
    content = json.dumps(document, sort_keys=True)
    return {**document, "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}"}


def packed(folder: Path, prefix: str, made: datetime) -> bytes:
    """Return a folder as a gzipped tar whose bytes depend on nothing but its files and the time that is given."""
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")):
            entry = tarfile.TarInfo(f"{prefix}/{path.relative_to(folder).as_posix()}")
            entry.size, entry.mtime, entry.mode = path.stat().st_size, int(made.timestamp()), 0o644
            with path.open("rb") as file:
                archive.addfile(entry, file)
    return gzip.compress(tarred.getvalue(), 9, mtime=0)


def sums(files: Mapping[str, bytes]) -> str:
    """Return the lines that `sha256sum --check` reads."""
    return "".join(f"{hashlib.sha256(stored).hexdigest()}  {name}\n" for name, stored in sorted(files.items()))


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True).stdout


def main() -> None:
    """Write the release of the last commit."""
    made = datetime.fromtimestamp(int(_git("log", "-1", "--format=%ct")), timezone.utc)
    version = _git("describe", "--tags", "--always").decode().strip().removeprefix("v")
    name = f"swara-{version}"
    locks = ((stack, (ROOT / "requirements" / stack / "run.txt").read_text(encoding="utf-8")) for stack in STACKS)
    web = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    components = [one for stack, lock in locks for one in python_components(stack, lock)]
    bill = bill_of_materials(iter([*components, *web_components(web)]), version, made)
    files = {
        f"{name}.tar": _git("archive", "--format=tar", f"--prefix={name}/", "HEAD"),
        f"{name}-page.tar.gz": packed(ROOT / "web" / "dist", f"{name}-page", made),
        f"{name}.cdx.json": (json.dumps(bill, indent=1, sort_keys=True) + "\n").encode(),
    }
    files[f"{name}.tar.gz"] = gzip.compress(files.pop(f"{name}.tar"), 9, mtime=0)
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for file, stored in {**files, SUMS: sums(files).encode()}.items():
        (FOLDER / file).write_bytes(stored)
        print(f"{FOLDER.relative_to(ROOT) / file}: {len(stored):,} bytes")


if __name__ == "__main__":
    main()
