import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bundles.manifest import InvalidBundle, check_files, content_hash, dumps, load
from bundles.publish import (
    INDEX_FILE,
    LATEST_FILE,
    publish,
    resolve,
    serve,
    served_version,
    versions,
)
from bundles.seal import seal
from common.errors import UserError
from tests.bundles import children
from tests.bundles.children import FORKS
from tests.bundles.small_bundle import write_small_bundle
from tests.disks import on_disk

NOON = datetime(2025, 4, 5, 12, 0, 0, tzinfo=timezone.utc)


@pytest.fixture
def bundle(tmp_path):
    write_small_bundle(tmp_path / "bundle")
    return tmp_path / "bundle"


@pytest.fixture
def better(tmp_path):
    write_small_bundle(tmp_path / "better", gain=0.75)
    return tmp_path / "better"


@pytest.fixture
def root(tmp_path):
    return tmp_path / "pushed"


@pytest.fixture(scope="module")
def forker():
    started = children.Forker()
    yield started
    started.close()


def whole(root: Path, name: str = "violin") -> str:
    """Follows the files as a page does and checks every byte on the way; returns the version."""
    latest = json.loads((root / name / LATEST_FILE).read_text())
    folder = (root / name / latest["manifest"]).parent
    assert folder.name == latest["version"]
    check_files(folder, load(folder))
    assert served_version(root / name) == latest["version"]  # the hash in latest.json fits
    return latest["version"]


def leftovers(root: Path) -> list[Path]:
    return [path for path in root.rglob(".*") if path.name != ".lock"]


def test_a_version_is_utc_time_and_the_hash_of_its_manifest_and_what_a_page_follows_is_whole(bundle, root):
    local = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    published = publish(bundle, root, local)
    assert published.new
    manifest = (published.folder / "manifest.json").read_bytes()
    assert published.version == f"20250405T120000Z-{hashlib.sha256(manifest).hexdigest()[:8]}"
    assert published.folder == root / "violin" / published.version
    assert whole(root) == published.version
    assert leftovers(root) == []


def test_the_index_lists_every_instrument_with_what_it_costs_to_download(bundle, tmp_path, root):
    write_small_bundle(tmp_path / "oboe", name="oboe")
    violin, oboe = publish(bundle, root, NOON), publish(tmp_path / "oboe", root, NOON)
    index = json.loads((root / INDEX_FILE).read_text())
    assert index["format_version"] == 1
    assert [(one["name"], one["title"], one["version"]) for one in index["instruments"]] == [
        ("oboe", "Oboe", oboe.version),
        ("violin", "Violin", violin.version),
    ]
    for one in index["instruments"]:
        manifest = json.loads((root / one["manifest"]).read_text())
        assert manifest["instrument"]["name"] == one["name"]
        files = {file["path"]: file for file in manifest["files"]}
        listed = ("controls/model.json", "controls/weights.bin", "reverb.bin")
        size = (root / one["manifest"]).stat().st_size + sum(files[path]["bytes"] for path in listed)
        assert one["download"]["controls"]["bytes"] == size


def test_the_same_content_pushed_again_publishes_nothing(bundle, tmp_path, root):
    first = publish(bundle, root, NOON)
    stamps = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.name != ".lock"}
    # Another export of the same model: only times differ.
    write_small_bundle(tmp_path / "again", seconds=99.0, now=NOON + timedelta(days=1))
    second = publish(tmp_path / "again", root, NOON + timedelta(days=2), {"spectral_loss": 5.0})
    assert (second.version, second.new) == (first.version, False)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.name != ".lock"} == stamps


def test_other_content_becomes_a_new_version_and_the_old_one_stays(bundle, better, root):
    first, second = publish(bundle, root, NOON), publish(better, root, NOON + timedelta(hours=1))
    assert second.new
    assert whole(root) == second.version != first.version
    assert versions(root / "violin") == [first.version, second.version]
    check_files(first.folder, load(first.folder))


def test_metrics_are_published_in_manifest_and_card_and_change_no_version(bundle, tmp_path, root):
    published = publish(bundle, root, NOON, {"spectral_loss": 6.25, "loss_over_baseline": 0.75})
    manifest = load(published.folder)
    assert manifest["metrics"] == {"spectral_loss": 6.25, "loss_over_baseline": 0.75}
    assert "| Multi-scale spectral loss | 6.25 |" in (published.folder / "README.md").read_text()
    assert whole(root) == published.version
    assert "metrics" not in load(bundle)  # the exporter's own copy stays as it was
    assert content_hash(manifest) == content_hash(load(bundle))


def test_a_bundle_that_was_changed_or_is_incomplete_is_not_published(bundle, root):
    (bundle / "controls" / "weights.bin").write_bytes(b"\0\0")
    with pytest.raises(InvalidBundle, match=r"controls/weights\.bin: its bytes are not those"):
        publish(bundle, root, NOON)
    (bundle / "controls" / "weights.bin").unlink()
    with pytest.raises(InvalidBundle, match=r"controls/weights\.bin: missing"):
        publish(bundle, root, NOON)
    assert not root.exists()


def test_a_bundle_with_a_file_that_nobody_listed_is_not_published(bundle, root):
    (bundle / "notes.txt").write_text("private")
    with pytest.raises(InvalidBundle, match=r"notes\.txt: not listed"):
        publish(bundle, root, NOON)


def test_a_push_killed_at_any_step_leaves_a_whole_version_served_and_a_retry_completes_it(
    bundle, better, tmp_path, forker
):
    """SIGKILL before every operation on a file in turn, from the first to the last."""
    killed, before = 0, tmp_path / "pushed-before"
    old = publish(bundle, before, NOON).version
    for event in range(1, 1000):
        root = tmp_path / f"pushed-{event}"
        shutil.copytree(before, root)
        ended_by = forker.run(
            children.push_and_die, event, better, root, NOON + timedelta(hours=1), {"spectral_loss": 6.0}
        )
        served = whole(root)
        assert served == old or content_hash(load(root / "violin" / served)) == content_hash(load(better))
        listed = json.loads((root / INDEX_FILE).read_text())["instruments"]
        check_files((root / listed[0]["manifest"]).parent, load((root / listed[0]["manifest"]).parent))

        again = publish(better, root, NOON + timedelta(hours=2), {"spectral_loss": 6.0})
        assert whole(root) == again.version
        assert versions(root / "violin") == [old, again.version]  # no second copy of the same content
        assert json.loads((root / INDEX_FILE).read_text())["instruments"][0]["version"] == again.version
        assert leftovers(root) == []
        if ended_by == 0:
            break
        killed += 1
    assert killed > 40


def test_a_first_push_killed_at_any_step_is_not_listed_half_and_a_retry_completes_it(bundle, tmp_path, forker):
    for event in range(1, 1000, 3):
        root = tmp_path / f"pushed-{event}"
        ended_by = forker.run(children.push_and_die, event, bundle, root, NOON, None)
        if (root / "violin" / LATEST_FILE).exists():
            whole(root)
        publish(bundle, root, NOON + timedelta(hours=2))
        whole(root)
        assert len(versions(root / "violin")) == 1
        if ended_by == 0:
            break


def test_a_disk_that_fills_up_is_one_clear_error_and_the_old_version_is_served(bundle, better, root, forker):
    old = publish(bundle, root, NOON).version

    forker.run(children.push_without_space, better, root, NOON + timedelta(hours=1))
    assert whole(root) == old
    assert leftovers(root) == []


def test_a_disk_that_is_really_full_is_one_clear_error_and_the_push_works_once_there_is_space(tmp_path):
    ended = on_disk(
        tmp_path / "disk",
        "size=1m",
        "-m",
        "tests.bundles.full_disk",
        str(tmp_path / "disk"),
        str(tmp_path),
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("served ")


def test_a_disk_that_is_really_read_only_is_one_clear_error(bundle, tmp_path):
    code = (
        "import sys; from datetime import datetime; from pathlib import Path;"
        "from bundles.publish import publish; from pipeline.command import run_verb;"
        "sys.exit(run_verb(lambda: publish(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now()), False))"
    )
    ended = on_disk(tmp_path / "disk", "ro", "-c", code, str(bundle), str(tmp_path / "disk" / "pushed"))
    assert ended.returncode == 2
    [line] = ended.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'disk' / 'pushed'}: cannot publish: Read-only file system (")


def test_a_destination_that_cannot_be_written_is_one_clear_error(bundle, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match=r"file/pushed: cannot publish: Not a directory"):
        publish(bundle, tmp_path / "file" / "pushed", NOON)


def test_a_read_only_destination_is_one_clear_error(forker):
    with tempfile.TemporaryDirectory() as shared:
        bundle, root = Path(shared) / "bundle", Path(shared) / "pushed"
        write_small_bundle(bundle)
        root.mkdir()
        Path(shared).chmod(0o755)
        root.chmod(0o555)

        forker.run(children.push_without_permission, bundle, root, NOON)
        assert list(root.iterdir()) == []


def test_pushes_of_different_instruments_at_once_all_reach_the_index(tmp_path, root):
    names = ["violin", "oboe", "saxophone", "bansuri", "shehnai", "sarangi"]
    for name in names:
        write_small_bundle(tmp_path / name, name=name)
    pushes = [FORKS.Process(target=publish, args=(tmp_path / name, root, NOON)) for name in names]
    for push in pushes:
        push.start()
    for push in pushes:
        push.join(30)
        assert push.exitcode == 0
    index = json.loads((root / INDEX_FILE).read_text())
    assert [one["name"] for one in index["instruments"]] == sorted(names)


def test_two_pushes_of_one_instrument_wait_for_each_other(bundle, better, root):
    pushes = [FORKS.Process(target=publish, args=(one, root, NOON)) for one in (bundle, better, bundle, better)]
    for push in pushes:
        push.start()
    for push in pushes:
        push.join(30)
        assert push.exitcode == 0
    assert len(versions(root / "violin")) == 2
    whole(root)
    assert leftovers(root) == []


def test_a_push_waits_while_another_holds_the_lock(bundle, root):
    from common import durable

    with durable.locked(root / "violin" / ".lock"):
        push = FORKS.Process(target=publish, args=(bundle, root, NOON))
        push.start()
        time.sleep(0.3)
        assert push.is_alive()
        assert not (root / "violin" / LATEST_FILE).exists()
    push.join(30)
    whole(root)


def test_an_earlier_version_can_be_served_again_and_a_damaged_or_unknown_one_cannot(bundle, better, root):
    first, second = publish(bundle, root, NOON), publish(better, root, NOON + timedelta(hours=1))
    assert serve(root, "violin", first.version).new
    assert whole(root) == first.version
    assert json.loads((root / INDEX_FILE).read_text())["instruments"][0]["version"] == first.version
    (second.folder / "reverb.bin").write_bytes(b"")
    with pytest.raises(UserError, match="damaged"):
        serve(root, "violin", second.version)
    with pytest.raises(UserError, match=f"no version '../..'; published versions: {first.version}, {second.version}"):
        serve(root, "violin", "../..")
    assert whole(root) == first.version


def test_a_push_after_a_rollback_serves_the_published_version_again(bundle, better, root):
    first, second = publish(bundle, root, NOON), publish(better, root, NOON + timedelta(hours=1))
    serve(root, "violin", first.version)
    again = publish(better, root, NOON + timedelta(hours=2))
    assert (again.version, again.new) == (second.version, True)
    assert whole(root) == second.version


def test_damaged_files_in_the_destination_do_not_stop_a_push(bundle, better, root):
    first = publish(bundle, root, NOON)
    (root / "violin" / LATEST_FILE).write_text("{")
    (root / "stray").write_text("a file of someone else")
    (root / "other").mkdir()
    (first.folder / "reverb.bin").unlink()
    assert served_version(root / "violin") is None
    repaired = publish(bundle, root, NOON + timedelta(hours=1))
    assert repaired.new
    assert repaired.version != first.version
    assert whole(root) == repaired.version


def test_a_folder_stands_for_the_bundle_in_it_or_for_the_version_that_is_served(bundle, root, tmp_path):
    published = publish(bundle, root, NOON)
    assert resolve(bundle) == bundle
    assert resolve(root / "violin") == published.folder
    with pytest.raises(UserError, match="neither a bundle"):
        resolve(tmp_path)


def pushed(count: int, tmp_path: Path, root: Path, keep: int | None = None) -> list[str]:
    """Publishes bundles of different content, an hour apart; returns their versions."""
    made = []
    for number in range(count):
        folder = tmp_path / f"bundle-{number}"
        if not folder.exists():
            write_small_bundle(folder, gain=0.1 + 0.1 * number)
        made.append(publish(folder, root, NOON + timedelta(hours=number), keep_versions=keep).version)
    return made


def test_only_the_newest_versions_stay(tmp_path, root):
    made = pushed(4, tmp_path, root, keep=2)
    assert versions(root / "violin") == made[2:]
    assert whole(root) == made[-1]
    assert leftovers(root) == []


def test_a_version_that_is_served_stays_however_old_it_is(tmp_path, root):
    made = pushed(4, tmp_path, root)
    serve(root, "violin", made[0])
    again = publish(tmp_path / "bundle-0", root, NOON + timedelta(hours=9), keep_versions=1)
    assert (again.version, again.new, again.removed) == (made[0], False, (made[1], made[2]))
    assert versions(root / "violin") == [made[0], made[3]]
    assert whole(root) == made[0]


def test_nothing_is_removed_without_a_limit(tmp_path, root):
    assert versions(root / "violin") == [] != pushed(4, tmp_path, root) == versions(root / "violin")


def test_what_is_not_a_version_is_never_removed(tmp_path, root):
    pushed(1, tmp_path, root)
    (root / "violin" / "notes").mkdir()
    (root / "violin" / "20240101T000000Z-00000000.zip").write_text("mine")
    made = pushed(3, tmp_path, root, keep=1)
    assert {path.name for path in (root / "violin").iterdir()} == {
        *("notes", "20240101T000000Z-00000000.zip", made[-1], LATEST_FILE, ".lock")
    }


def test_an_old_version_that_cannot_be_removed_does_not_undo_the_push(tmp_path, root, monkeypatch, caplog):
    first, *_ = pushed(2, tmp_path, root)

    def refuse(folder: Path) -> None:
        raise OSError(13, "Permission denied", str(folder))

    monkeypatch.setattr("common.durable.remove", refuse)
    *_, last = pushed(3, tmp_path, root, keep=1)
    assert whole(root) == last
    assert first in versions(root / "violin")
    assert f"{first}: an old version could not be removed: [Errno 13] Permission denied" in caplog.text


def test_a_push_killed_at_any_step_of_removing_old_versions_serves_a_whole_one_and_a_retry_completes_it(
    better, tmp_path, forker
):
    """SIGKILL before every third operation on a file from the moment the new version is served."""
    before = tmp_path / "pushed-before"
    old = pushed(3, tmp_path, before)
    serve(before, "violin", old[0])  # so that the oldest was served until this push
    while_removing = 0
    for event in range(1, 1000, 3):
        root = tmp_path / f"pushed-{event}"
        shutil.copytree(before, root)
        ended_by = forker.run(children.push_and_die, event, better, root, NOON + timedelta(hours=9), None, 2)
        served = whole(root)
        kept = versions(root / "violin")
        for version in kept:
            check_files(root / "violin" / version, load(root / "violin" / version))  # gone or whole
        if served == old[0]:
            assert set(old) <= set(kept)
        while_removing += served != old[0] and bool(leftovers(root))

        again = publish(better, root, NOON + timedelta(hours=10), keep_versions=2)
        assert whole(root) == again.version
        assert versions(root / "violin") == [old[2], again.version]
        assert leftovers(root) == []
        if ended_by == 0:
            break
    assert ended_by == 0
    assert while_removing > 3


def test_a_mounted_bucket_that_renames_no_folders_is_published_to_all_the_same(tmp_path, root, monkeypatch):
    rename = os.rename

    def refuse_folders(source: Path, target: Path) -> None:
        if Path(source).is_dir():
            raise OSError(errno.EMFILE, "Too many open files", str(source))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refuse_folders)
    made = pushed(3, tmp_path, root, keep=2)
    assert whole(root) == made[-1]
    assert versions(root / "violin") == made[1:]
    assert leftovers(root) == []


def tamper(version: Path) -> None:
    """Changes one digit of the manifest, as an edit or a bad copy would: every file still matches its hash."""
    manifest = load(version)
    manifest["statistics"]["pitch"]["mean"] += 1.0
    (version / "manifest.json").write_bytes(dumps(manifest))
    check_files(version, load(version))


def test_a_version_whose_manifest_was_changed_is_not_served_again(bundle, better, root):
    first, second = publish(bundle, root, NOON), publish(better, root, NOON + timedelta(hours=1))
    tamper(first.folder)
    with pytest.raises(UserError, match=r"manifest\.json: was changed after it was published.* name [0-9a-f]{8}"):
        serve(root, "violin", first.version)
    assert whole(root) == second.version


def change_metrics(folder: Path) -> None:
    """Makes a version look better than it was judged, with a card and hashes of files that fit."""
    seal(folder, {**load(folder), "metrics": {"spectral_loss": 1.0}})


def test_a_version_whose_metrics_were_changed_is_not_served_again(bundle, better, root):
    first = publish(bundle, root, NOON, {"spectral_loss": 6.0})
    second = publish(better, root, NOON + timedelta(hours=1))
    change_metrics(first.folder)
    with pytest.raises(UserError, match=r"manifest\.json: was changed after it was published"):
        serve(root, "violin", first.version)
    assert whole(root) == second.version


def test_a_version_with_an_older_name_is_served_and_is_not_published_again(bundle, better, root):
    """Its hash covers neither metrics nor card, as it was when it was published."""
    made = publish(bundle, root, NOON, {"spectral_loss": 6.0})
    older = f"20250405T120000Z-{content_hash(load(bundle))[:8]}"
    made.folder.rename(root / "violin" / older)
    publish(better, root, NOON + timedelta(hours=1))
    assert serve(root, "violin", older).version == whole(root) == older
    assert publish(bundle, root, NOON + timedelta(hours=2)).version == older
    tamper(root / "violin" / older)
    with pytest.raises(UserError, match=r"manifest\.json: was changed after it was published"):
        serve(root, "violin", older)


def test_a_changed_version_is_not_served_even_where_latest_json_was_changed_with_it(bundle, root):
    first = publish(bundle, root, NOON)
    tamper(first.folder)
    latest = json.loads((root / "violin" / LATEST_FILE).read_text())
    latest["sha256"] = hashlib.sha256((first.folder / "manifest.json").read_bytes()).hexdigest()
    (root / "violin" / LATEST_FILE).write_text(json.dumps(latest))
    assert served_version(root / "violin") is None
    with pytest.raises(UserError, match="neither a bundle"):
        resolve(root / "violin")
    again = publish(bundle, root, NOON + timedelta(hours=1))
    assert again.new
    assert whole(root) == again.version != first.version


@pytest.mark.parametrize("latest", ["null", "[]", "3", '{"version": {}}', "[" * 100_000, "\ufeff{}", ""])
def test_a_latest_json_of_any_other_shape_leads_nowhere(bundle, root, latest):
    publish(bundle, root, NOON)
    (root / "violin" / LATEST_FILE).write_text(latest)
    assert served_version(root / "violin") is None


@pytest.mark.parametrize(
    "manifest", ["null", "[]", "{}", '{"training": 3, "files": 4}', '{"training": {}, "files": [1]}']
)
def test_a_manifest_of_any_other_shape_is_not_served(bundle, root, manifest):
    served = publish(bundle, root, NOON)
    (served.folder / "manifest.json").write_text(manifest)
    latest = json.loads((root / "violin" / LATEST_FILE).read_text())
    latest["sha256"] = hashlib.sha256(manifest.encode()).hexdigest()
    (root / "violin" / LATEST_FILE).write_text(json.dumps(latest))
    assert served_version(root / "violin") is None


def test_a_push_by_a_clock_that_is_behind_is_still_the_newest(tmp_path, root):
    write_small_bundle(tmp_path / "future", gain=0.9)
    future = publish(tmp_path / "future", root, NOON.replace(year=2099, microsecond=5))
    made = pushed(3, tmp_path, root)
    assert made == sorted(made)
    assert [version[:16] for version in made] == ["20990405T120001Z", "20990405T120002Z", "20990405T120003Z"]
    assert versions(root / "violin") == [future.version, *made]
    write_small_bundle(tmp_path / "last", gain=0.95)
    last = publish(tmp_path / "last", root, NOON, keep_versions=2)
    assert last.removed == (future.version, *made[:2])
    assert versions(root / "violin") == [made[2], last.version]
    assert whole(root) == last.version


def test_pushes_of_one_second_are_in_their_order(tmp_path, root):
    for number in range(5):
        write_small_bundle(tmp_path / str(number), gain=0.1 + 0.1 * number)
    made = [publish(tmp_path / str(number), root, NOON).version for number in range(5)]
    assert made == sorted(made)
    assert len({version[:16] for version in made}) == 5


@pytest.mark.parametrize("name", ["99991231T235959Z-00000000", "20251399T000000Z-00000000"])
def test_a_version_that_none_can_follow_is_named(bundle, root, name):
    (root / "violin" / name).mkdir(parents=True)
    with pytest.raises(UserError, match=f"{name}: no version can be later than this one"):
        publish(bundle, root, NOON)
    assert leftovers(root) == []


def test_a_changed_version_does_not_count_among_those_that_are_kept(tmp_path, root):
    made = pushed(3, tmp_path, root)
    tamper(root / "violin" / made[2])
    (root / "violin" / made[1] / "reverb.bin").write_bytes(b"")
    write_small_bundle(tmp_path / "next", gain=0.8)
    following = publish(tmp_path / "next", root, NOON + timedelta(hours=8), keep_versions=2)
    assert following.removed == ()  # two are intact: the first and this one
    write_small_bundle(tmp_path / "last", gain=0.9)
    last = publish(tmp_path / "last", root, NOON + timedelta(hours=9), keep_versions=2)
    assert last.removed == tuple(made)
    assert versions(root / "violin") == [following.version, last.version]
