"""A release lists all that it depends on, and its sums are of the files that it has."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from scripts import release

ROOT = Path(__file__).resolve().parents[1]
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="module")
def bill() -> dict:
    """The bill of materials of the locks as they are."""
    pins = [
        one
        for stack in release.STACKS
        for one in release.python_components(stack, (ROOT / "requirements" / stack / "run.txt").read_text())
    ]
    web = release.web_components(json.loads((ROOT / "web" / "package-lock.json").read_text()))
    return release.bill_of_materials(iter([*pins, *web]), "1.2", NOON)


def test_every_pin_of_both_sets_is_listed_once(bill: dict):
    references = [one["bom-ref"] for one in bill["components"]]
    assert len(references) == len(set(references)) > 400
    for stack in release.STACKS:
        lock = (ROOT / "requirements" / stack / "run.txt").read_text()
        pins = re.findall(r"^([\w.-]+)==([\w.+!]+)", lock, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[^\s#]", lock, re.MULTILINE))
        of_the_set = {
            (one["name"], one["version"])
            for one in bill["components"]
            if {"name": "swara:set", "value": stack} in one["properties"]
        }
        assert of_the_set == {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in pins}


def test_every_package_of_the_page_is_listed_with_its_hash(bill: dict):
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    by_name = {one["purl"]: one for one in bill["components"]}
    tfjs = lock["node_modules/@tensorflow/tfjs-core"]
    listed = by_name[f"pkg:npm/%40tensorflow/tfjs-core@{tfjs['version']}"]
    assert listed["hashes"] == [{"alg": "SHA-512", "content": base64.b64decode(tfjs["integrity"][7:]).hex()}]
    assert "scope" not in listed
    biome = f"pkg:npm/%40biomejs/biome@{lock['node_modules/@biomejs/biome']['version']}"
    assert by_name[biome]["scope"] == "excluded"
    npm = [one for one in by_name.values() if one["purl"].startswith("pkg:npm/")]
    assert len(npm) == len(
        {
            (path.rpartition("node_modules/")[2], one["version"])
            for path, one in lock.items()
            if path and not one.get("link")
        }
    )


def test_it_depends_on_what_it_lists_and_the_same_locks_give_the_same_bill(bill: dict):
    [root] = bill["dependencies"]
    assert root["ref"] == bill["metadata"]["component"]["bom-ref"]
    assert root["dependsOn"] == [one["bom-ref"] for one in bill["components"]]
    again = release.bill_of_materials(iter(json.loads(json.dumps(bill["components"]))), "1.2", NOON)
    assert again == bill
    assert release.bill_of_materials(iter(bill["components"]), "1.3", NOON)["serialNumber"] != bill["serialNumber"]
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bill["serialNumber"])


def test_a_folder_is_packed_to_the_same_bytes_whenever_it_was_built(tmp_path: Path):
    for name in ("a", "b"):
        (tmp_path / name / "assets").mkdir(parents=True)
        (tmp_path / name / "assets" / "page.js").write_text("1")
        (tmp_path / name / ".built").write_text(name)
    assert release.packed(tmp_path / "a", "page", NOON) == release.packed(tmp_path / "b", "page", NOON)
    (tmp_path / "b" / "assets" / "page.js").write_text("2")
    assert release.packed(tmp_path / "a", "page", NOON) != release.packed(tmp_path / "b", "page", NOON)


def test_the_sums_are_those_that_sha256sum_checks(tmp_path: Path):
    files = {"one.txt": b"1", "two words.txt": b"2"}
    for name, stored in files.items():
        (tmp_path / name).write_bytes(stored)
    (tmp_path / release.SUMS).write_text(release.sums(files))
    check = ["sha256sum", "--check", "--quiet", release.SUMS]
    assert subprocess.run(check, cwd=tmp_path).returncode == 0
    (tmp_path / "one.txt").write_bytes(b"3")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 1
    assert hashlib.sha256(b"2").hexdigest() in release.sums(files)
