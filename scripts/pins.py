"""Pin what others publish under names that may come to mean something else: actions to commits, images to digests.

`make pins` brings .github/workflows and the Dockerfile up to date. What cannot be resolved from here stays as it is and
is listed in requirements/unpinned.txt: no hash is ever written but one that was just resolved.
"""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = ROOT / ".github" / "workflows"
DOCKERFILE = ROOT / "Dockerfile"
UNPINNED = ROOT / "requirements" / "unpinned.txt"
REASON = "not resolvable here"
HEADER = """\
# Actions and images that are used by a name alone, and why. `make pins` writes this file; tests/test_pins.py holds it
# to the workflows and the Dockerfile.
"""
ACTION = re.compile(r"(?P<uses>uses: )(?P<repository>[\w.-]+/[\w./-]+)@(?P<ref>[\w.-]+)(?: # (?P<name>[\w.-]+))?")
COMMIT, DIGEST = re.compile(r"[0-9a-f]{40}"), re.compile(r"sha256:[0-9a-f]{64}")
IMAGE = re.compile(r"^FROM (?P<image>\S+)\$\{(?P<argument>\w+_DIGEST)\} AS ", re.MULTILINE)
MANIFESTS = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json"
SECONDS = 20

Resolve = Callable[[str], "str | None"]  # NAME@REF or IMAGE:TAG -> its hash


def pin_actions(workflow: str, resolve: Resolve) -> tuple[str, list[str]]:
    """Pin the actions of a workflow. Return its text, and those that are used by a name alone."""
    unpinned = []

    def pinned(found: re.Match[str]) -> str:
        name = f"{found['repository']}@{found['name'] or found['ref']}"
        commit = resolve(name)
        if commit is not None and COMMIT.fullmatch(commit):
            return f"{found['uses']}{found['repository']}@{commit} # {found['name'] or found['ref']}"
        if not COMMIT.fullmatch(found["ref"]):
            unpinned.append(name)
        return found[0]

    return ACTION.sub(pinned, workflow), unpinned


def pin_images(dockerfile: str, resolve: Resolve) -> tuple[str, list[str]]:
    """Pin the images of a Dockerfile, each in an argument of its own. Return its text, and those without a digest."""
    arguments, unpinned = dict(re.findall(r"^ARG (\w+)=(\S*)$", dockerfile, re.MULTILINE)), []
    for found in IMAGE.finditer(dockerfile):
        image = re.sub(r"\$\{(\w+)\}", lambda used: arguments[used[1]], found["image"])
        digest, line = resolve(image), f"ARG {found['argument']}="
        if digest is not None and DIGEST.fullmatch(digest):
            dockerfile = re.sub(rf"^{line}\S*$", f"{line}@{digest}", dockerfile, flags=re.MULTILINE)
        elif not DIGEST.fullmatch(arguments[found["argument"]][1:]):
            unpinned.append(image)
    return dockerfile, unpinned


def commit_of(action: str) -> str | None:
    """Return the commit that a tag or branch of an action's repository is, by GitHub."""
    repository, _, ref = action.partition("@")
    url = f"https://github.com/{'/'.join(repository.split('/')[:2])}"
    names = (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}")  # an annotated tag's commit comes first
    try:
        listed = subprocess.run(
            ["git", "ls-remote", url, *names], capture_output=True, text=True, check=True, timeout=SECONDS
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    commits = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
    return next((commits[name] for name in names if name in commits), None)


def digest_of(image: str) -> str | None:
    """Return the digest of all platforms of an image, by Docker Hub."""
    name, _, tag = image.partition(":")
    name = name if "/" in name else f"library/{name}"
    login = f"https://auth.docker.io/token?service=registry.docker.io&scope=repository:{name}:pull"
    try:
        with urllib.request.urlopen(login, timeout=SECONDS) as response:
            token = json.load(response)["token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": MANIFESTS}
        address = f"https://registry-1.docker.io/v2/{name}/manifests/{tag}"
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=headers, method="HEAD"), timeout=SECONDS
        ) as response:
            return str(response.headers["Docker-Content-Digest"])
    except (OSError, ValueError, KeyError):
        return None


def main() -> None:
    """Pin all that can be resolved, and list the rest."""
    unpinned: set[str] = set()
    for workflow in sorted(WORKFLOWS.glob("*.yml")):
        text, left = pin_actions(workflow.read_text(encoding="utf-8"), commit_of)
        workflow.write_text(text, encoding="utf-8")
        unpinned.update(left)
    text, left = pin_images(DOCKERFILE.read_text(encoding="utf-8"), digest_of)
    DOCKERFILE.write_text(text, encoding="utf-8")
    unpinned.update(left)
    UNPINNED.write_text(HEADER + "".join(f"{name} {REASON}\n" for name in sorted(unpinned)), encoding="utf-8")
    print(*(f"{name}: {REASON}" for name in sorted(unpinned)), f"{len(unpinned)} are used by a name alone", sep="\n")


if __name__ == "__main__":
    main()
