"""SIGKILL in any component at any moment: the same command resumes there, and nothing half is ever served."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from bundles.publish import served_version, versions
from pipeline.store.folders import RunFolders
from tests.integration.conftest import Workshop
from tests.integration.killing import killed, seconds, whole_versions

# What these make is not made again; the others look at what is served, so their inputs may have changed meanwhile.
LASTING = {"RecordingExampleGen", "StatisticsGen", "SchemaImporter", "Transform", "Trainer", "TfjsExporter"}
KILLS = 20


@pytest.mark.slow
def test_a_run_killed_while_it_trains_exports_and_pushes_is_completed_by_the_same_command(
    workshop: Workshop, tmp_path: Path
):
    endure(workshop, ["Trainer", "TfjsExporter", "BundlePusher"], tmp_path, random.Random(0), "trainer.steps=80")


@pytest.mark.soak(part="kills")
def test_twenty_kills_with_every_component_among_them_are_endured(workshop: Workshop, tmp_path: Path):
    chance, died = random.Random(1), Counter[str]()
    every = list(seconds(workshop.first[0].output))
    shutil.rmtree(workshop.folders.output)  # the first version is made from nothing
    for version in range(1, 5):
        missing = [one for one in every if not died[one]]
        more = max(0, KILLS - died.total() - len(missing))
        targets = {*missing, *chance.sample(sorted(set(every) - set(missing)), min(more, len(every) - len(missing)))}
        settings = (f"examples.min_minutes={0.1 * version:.1f}", f"trainer.steps={40 + 40 * version}")
        died += endure(workshop, [one for one in every if one in targets], tmp_path, chance, *settings)
        if died.total() >= KILLS and died.keys() == set(every):
            break
    assert died.total() >= KILLS
    assert died.keys() == set(every), died


def endure(
    workshop: Workshop, components: list[str], logs: Path, chance: random.Random, *settings: str
) -> Counter[str]:
    """Makes a new version while run after run is killed, each in the next component; returns where they died."""
    before = served_version(workshop.folders.pushed / workshop.folders.name)
    old = whole_versions(workshop.folders.pushed, workshop.folders.name)
    took = seconds(workshop.first[0].output)
    died: Counter[str] = Counter()
    made: set[str] = set()  # in earlier runs that were killed
    for number, component in enumerate(components):
        after = chance.uniform(0.0, took[component])
        last = killed(workshop, logs / f"{number}.log", component, after, *settings)
        what = f"killed {after:.2f} s after {component} began, in {last.component}"
        print(what)
        assert not [name for name in made & last.done.keys() if last.done[name]], f"made again after it was {what}"
        made |= last.done.keys() & LASTING
        assert sound(workshop.folders), what
        assert old <= whole_versions(workshop.folders.pushed, workshop.folders.name), what
        assert before is None or served_version(workshop.folders.pushed / workshop.folders.name), what
        died[last.component] += 1
    _ends_well(workshop, before, old, *settings)
    return died


def _ends_well(workshop: Workshop, before: str | None, old: set[str], *settings: str) -> None:
    """The same command once more: it pushes one new version and leaves nothing lying about."""
    run = workshop.run(*settings)
    assert run.code == 0, run.output
    assert run.figures["pushed"] is True
    pushed = workshop.folders.pushed / workshop.folders.name
    assert served_version(pushed) == run.figures["version"] != before
    assert set(versions(pushed)) == {*old, run.figures["version"]}
    assert [path.name for path in pushed.glob(".*")] == [".lock"]
    assert sound(workshop.folders)


def sound(folders: RunFolders) -> bool:
    """Whether the metadata store is, once what was half written is undone, as SQLite does at the next opening."""
    with closing(sqlite3.connect(folders.metadata)) as store:
        return (
            store.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            and not store.execute("PRAGMA foreign_key_check").fetchall()
        )
