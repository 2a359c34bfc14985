"""SIGKILL, SIGTERM or Ctrl-C in any component at any moment: the same command resumes, and nothing half is served."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bundles.publish import served_version, versions
from pipeline.store.folders import RunFolders
from tests.integration.conftest import Workshop, checkout
from tests.integration.killing import killed, one_temporary_folder, orphans, seconds, whole_versions

# What these make is not made again; the others look at what is served, so their inputs may have changed meanwhile.
LASTING = {"RecordingExampleGen", "StatisticsGen", "SchemaImporter", "Transform", "Trainer", "TfjsExporter"}
KILLS, KILLS_ON_REAL_RECORDINGS, LONGEST_CHAIN = 30, 10, 8
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# What a network of seconds of training reaches on recordings of a real instrument, whatever it sounds like.
LENIENT = (
    "evaluator.max_loss_over_baseline=20.0",
    "evaluator.max_f0_error_cents=2400.0",
    "evaluator.max_loss_increase=9",
)


@pytest.mark.slow
def test_a_run_killed_while_it_trains_exports_and_pushes_is_completed_by_the_same_command(
    workshop: Workshop, tmp_path: Path
):
    endure(workshop, ["Trainer", "TfjsExporter", "BundlePusher"], tmp_path, random.Random(0), "trainer.steps=80")


@pytest.mark.soak(part="kills")
def test_thirty_kills_with_every_component_among_them_are_endured(workshop: Workshop, tmp_path: Path):
    every = set(seconds(workshop.first[0].output))
    shutil.rmtree(workshop.folders.output)  # the first version is made from nothing
    died = endure_chains(workshop, tmp_path, lambda died: died.total() >= KILLS and died.keys() == every)
    assert died.total() >= KILLS
    assert died.keys() == every, died


@pytest.mark.soak(part="kills")
def test_ten_kills_on_recordings_of_a_real_instrument_are_endured(tmp_path: Path, recordings: Path):
    folders = RunFolders(recordings / "oboe", tmp_path / "out", "oboe")
    workshop = Workshop(checkout(tmp_path / "source"), folders)
    workshop.first.append(workshop.run("trainer.steps=40", *LENIENT))
    assert workshop.first[0].code == 0, workshop.first[0].output
    shutil.rmtree(folders.output)
    enough = lambda died: died.total() >= KILLS_ON_REAL_RECORDINGS  # noqa: E731
    assert endure_chains(workshop, tmp_path, enough, *LENIENT).total() >= KILLS_ON_REAL_RECORDINGS


def endure_chains(
    workshop: Workshop, folder: Path, enough: Callable[[Counter[str]], bool], *settings: str
) -> Counter[str]:
    """Makes version after version, each with a chain of kills, until these are enough; returns where runs died."""
    every, died = list(seconds(workshop.first[0].output)), Counter[str]()
    seed = int(os.environ.get("SWARA_SEED", random.SystemRandom().randrange(10**6)))
    print(f"SWARA_SEED={seed}")
    chance = random.Random(seed)
    for version in range(1, 9):
        rare = sorted(every, key=lambda one: (died[one], chance.random()))  # those that were killed least first
        chosen = set(rare[:LONGEST_CHAIN])
        varied = (f"examples.min_minutes={0.05 * version:.2f}", f"trainer.steps={40 + 40 * version}", *settings)
        died += endure(workshop, [one for one in every if one in chosen], folder, chance, *varied)
        print(f"{died.total()} kills so far: {dict(died)}")
        if enough(died):
            break
    return died


def endure(
    workshop: Workshop, components: list[str], folder: Path, chance: random.Random, *settings: str
) -> Counter[str]:
    """Makes a new version while run after run is killed, each in the next component; returns where they died."""
    before = served_version(workshop.folders.pushed / workshop.folders.name)
    old = whole_versions(workshop.folders.pushed, workshop.folders.name)
    took = seconds(workshop.first[0].output)
    died: Counter[str] = Counter()
    made: set[str] = set()  # in earlier runs that were killed
    with one_temporary_folder(folder / f"t{chance.randrange(10**9)}") as temporary:
        for number, component in enumerate(components):
            after, by = chance.uniform(0.0, took[component]), chance.choice(SIGNALS)
            last = killed(workshop, folder / f"{number}.log", component, after, *settings, by=by)
            what = f"{by.name} {after:.2f} s after {component} began, in {last.component}"
            print(what)
            assert not [name for name in made & last.done.keys() if last.done[name]], f"made again after {what}"
            made |= last.done.keys() & LASTING
            assert by == signal.SIGKILL or not list(temporary.iterdir()), what
            assert sound(workshop.folders), what
            assert old <= whole_versions(workshop.folders.pushed, workshop.folders.name), what
            assert before is None or served_version(workshop.folders.pushed / workshop.folders.name), what
            died[last.component] += 1
        _ends_well(workshop, before, old, *settings)
        assert list(temporary.iterdir()) == []
        assert orphans() == []
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
