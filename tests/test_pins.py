"""Actions and images are used by hash, or are listed as used by a name alone; a hash is written only once resolved."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import pins

COMMIT, DIGEST = "a" * 40, "sha256:" + "b" * 64
WORKFLOW = "    steps:\n      - uses: actions/checkout@v4\n      - uses: some/action/deep@v1.2 \n      - run: make\n"
DOCKERFILE = f"""\
ARG PYTHON=3.13
ARG PYTHON_DIGEST=
ARG NODE_DIGEST=@sha256:{"c" * 64}
FROM node:20-slim${{NODE_DIGEST}} AS web
FROM python:${{PYTHON}}-slim${{PYTHON_DIGEST}} AS worker
FROM worker AS gpu
"""


def listed() -> dict[str, str]:
    lines = pins.UNPINNED.read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if not line.startswith("#"))


def workflows() -> list[Path]:
    return sorted((pins.ROOT / ".github").rglob("*.yml"))


def test_every_action_and_image_is_pinned_or_listed_with_its_reason():
    found = [name for path in workflows() for name in pins.pin_actions(path.read_text(), lambda _: None)[1]]
    found += pins.pin_images(pins.DOCKERFILE.read_text(), lambda _: None)[1]
    assert set(listed()) == set(found)
    assert set(listed().values()) <= {pins.REASON}


def test_no_action_and_no_image_is_written_in_a_form_that_is_passed_over():
    for path in workflows():
        text = path.read_text()
        assert len(re.findall(r"\buses:", text)) == len(pins.ACTION.findall(text)), path
        assert not re.search(r"\b(image|container):", text), path
    dockerfile = pins.DOCKERFILE.read_text()
    stages = set(re.findall(r"^FROM .* AS (\w+)$", dockerfile, re.MULTILINE))
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len([base for base in bases if base not in stages]) == len(pins.IMAGE.findall(dockerfile))
    assert set(re.findall(r"^COPY --from=(\S+)", dockerfile, re.MULTILINE)) <= stages


def test_what_is_resolved_is_pinned_beside_its_name_and_pinned_anew_the_next_time():
    once, unpinned = pins.pin_actions(WORKFLOW, lambda name: COMMIT if name == "actions/checkout@v4" else None)
    assert once == WORKFLOW.replace("checkout@v4", f"checkout@{COMMIT} # v4")
    assert unpinned == ["some/action/deep@v1.2"]
    newer = {"actions/checkout@v4": "d" * 40}
    assert pins.pin_actions(once, newer.get)[0] == once.replace(COMMIT, "d" * 40)


def test_images_are_pinned_in_their_arguments():
    text, unpinned = pins.pin_images(DOCKERFILE, lambda name: DIGEST if name == "python:3.13-slim" else None)
    assert text == DOCKERFILE.replace("PYTHON_DIGEST=\n", f"PYTHON_DIGEST=@{DIGEST}\n")
    assert unpinned == []


@pytest.mark.parametrize("answer", [None, "", "v4", "a" * 39, "sha256:" + "b" * 63, "<html>"])
def test_nothing_is_written_that_is_no_hash(answer: str | None):
    assert pins.pin_actions(WORKFLOW, lambda _: answer)[0] == WORKFLOW
    assert pins.pin_images(DOCKERFILE, lambda _: answer)[0] == DOCKERFILE


def test_where_nothing_can_be_reached_nothing_is_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))  # no git
    monkeypatch.setattr(pins, "SECONDS", 0.001)
    assert pins.commit_of("actions/checkout@v4") is None
    assert pins.digest_of("python:3.13-slim") is None
