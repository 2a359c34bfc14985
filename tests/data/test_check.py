"""`check` and `run` give every recording one verdict, whatever its name, order or neighbours; too little is refused."""

import json
import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from common.errors import UserError
from data.analysis import printable_name
from data.check import check
from data.features.bandwidth import reach
from data.files.listing import (
    Resolved,
    fingerprint,
    input_pattern,
    list_recordings,
    resolve,
)
from data.ingest_report import IngestRefused, IngestReport, RecordingEntry
from data.windows.plan import Summary, make_plan
from data.windows.splits import Sound
from tests.data.sounds import CONFIG, config, melody, reader, tone, write

SHORT = config("examples.min_minutes=0.1")


def verdicts(report: IngestReport) -> dict[str, str]:
    return {entry.recording: entry.explanation for entry in report.recordings}


@pytest.fixture(scope="module")
def lines() -> list[np.ndarray]:
    return [melody(8.0 + n, seed=n) for n in range(3)]


def test_every_bad_file_is_set_aside_with_its_reason_and_the_rest_goes_on(tmp_path, lines):
    good = write(tmp_path / "good.wav", lines[0])
    write(tmp_path / "nested" / "ملودی भाई é.flac", lines[1])
    (tmp_path / "empty.wav").touch()
    (tmp_path / "truncated.wav").write_bytes(good.read_bytes()[:100_000])
    (tmp_path / "text.wav").write_text("this is not audio")
    (tmp_path / "phone.m4a").write_bytes(b"....ftypM4A ")
    (tmp_path / "browser").write_bytes(b"\x1a\x45\xdf\xa3\x9fB\x82\x84webm A_OPUS")
    (tmp_path / "sensor.bin").write_bytes(b"\x81\x07\x92\xfe" * 40)
    (tmp_path / "cover").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "notes.txt").write_text("ignored")
    (tmp_path / "._good.wav").write_bytes(b"ignored")
    holes = lines[2].copy()
    holes[32000] = np.nan
    write(tmp_path / "nan.wav", holes, subtype="FLOAT")
    write(tmp_path / "silent.wav", np.zeros(80000, np.float32))
    write(tmp_path / "clipped.wav", np.clip(20 * lines[2], -1, 1))
    write(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.1, 80000).astype(np.float32))
    write(tmp_path / "short.wav", lines[2][:6000])
    write(tmp_path / "cancels.wav", np.stack([lines[2], -lines[2]], axis=1))
    write(tmp_path / "duet.wav", lines[2] + melody(10.0, seed=20, notes=(-12, -9, -7, -4, -2)))
    found = verdicts(check(tmp_path, SHORT))
    assert found.pop("good.wav") == found.pop("nested/ملودی भाई é.flac") == "used"
    expected = {
        "empty.wav": "set aside: is empty",
        "truncated.wav": "set aside at 0:03.1: is truncated",
        "text.wav": "set aside: is not audio",
        "phone.m4a": "set aside: is MPEG-4: convert it to wav or flac",
        "browser": "set aside: is WebM/Opus, whatever its name says: convert it to wav or flac",
        "sensor.bin": "set aside: is not audio of a kind that is known (its first bytes are 81 07 92 fe",
        "nan.wav": "set aside at 0:02.0: holds samples that are not numbers",
        "silent.wav": "set aside: is silent",
        "clipped.wav": "set aside at 0:00.0: is clipped",
        "noise.wav": "set aside: has no pitch to learn",
        "short.wav": "set aside: is shorter than 0.5 s",
        "cancels.wav": "set aside: is nearly silent when mixed to mono",
        "duet.wav": "set aside at 0:0",
    }
    assert found.keys() == expected.keys()
    assert {name: text[: len(expected[name])] for name, text in found.items()} == expected
    assert "second pitch" in found["duet.wav"]


def test_a_copy_under_another_name_or_container_is_taken_once(tmp_path, lines):
    write(tmp_path / "b.wav", lines[0])
    write(tmp_path / "a" / "copy.flac", lines[0])
    write(tmp_path / "c.aiff", lines[0])
    write(tmp_path / "d.wav", lines[1])
    report = check(tmp_path, SHORT)
    same = "duplicate: holds the same audio as a/copy.flac"
    assert verdicts(report) == {"a/copy.flac": "used", "b.wav": same, "c.aiff": same, "d.wav": "used"}
    assert report.usable_minutes == pytest.approx((8 + 9) / 60, abs=0.01)


def test_names_and_folders_change_no_split(tmp_path, lines):
    for order, folder in ((lines, "one"), (lines[::-1], "two")):
        for number, line in enumerate(order):
            write(tmp_path / folder / str(number) / f"{folder}.wav", line)

    def sides(folder: str) -> dict[str, tuple[int, int]]:
        entries = check(tmp_path / folder, SHORT).recordings
        return {str(entry.recording_id): (entry.train_windows, entry.eval_windows) for entry in entries}

    assert sides("one") == sides("two")


def test_a_short_recording_is_padded_to_one_window(tmp_path):
    write(tmp_path / "long.wav", melody(9.0))
    write(tmp_path / "note.wav", tone(440.0, 0.8))
    report = check(tmp_path, config("examples.min_minutes=0.0"))
    note = report.recordings[1]
    assert note.verdict == "used"
    assert note.train_windows + note.eval_windows == 1
    assert note.usable_seconds == pytest.approx(0.8)


def test_too_few_minutes_are_refused(tmp_path, lines):
    for number, line in enumerate(lines):
        write(tmp_path / f"{number}.wav", line)
    assert check(tmp_path, config("examples.min_minutes=0.4")).would_run
    refused = check(tmp_path, config("examples.min_minutes=0.6"))
    assert not refused.would_run
    assert "0.45 minutes are usable, at least 0.6" in refused.table()


def test_one_short_recording_cannot_fill_both_sides(tmp_path, lines):
    write(tmp_path / "only.wav", lines[0])
    report = check(tmp_path, SHORT)
    assert report.refusals == ("nothing is left for evaluation: add a second recording, or one of more than 60 s",)


def test_only_bad_files_are_refused_and_no_files_at_all_are_an_error(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        check(tmp_path / "absent", SHORT)
    with pytest.raises(UserError, match="no recordings there"):
        check(tmp_path, SHORT)
    (tmp_path / "bad.wav").touch()
    assert not check(tmp_path, SHORT).would_run


def test_the_table_has_a_line_for_each_recording_and_says_what_it_comes_to(tmp_path, lines):
    write(tmp_path / "a.wav", lines[0])
    write(tmp_path / "b.wav", lines[1])
    (tmp_path / "c.wav").touch()
    table = check(tmp_path, SHORT).table().splitlines()
    assert [line.split()[0] for line in table[:4]] == ["recording", "a.wav", "b.wav", "c.wav"]
    assert table[3].endswith("set aside: is empty (0 bytes)")
    assert table[5].startswith("2 of 3 recordings used, 0.3 minutes: ")


def test_a_report_is_kept_as_it_is(tmp_path, lines):
    write(tmp_path / "a.wav", lines[0])
    report = check(tmp_path, SHORT)
    report.write(tmp_path / "kept")
    assert IngestReport.read(tmp_path / "kept") == report
    assert json.loads(json.dumps(report.to_json()))["would_run"] is False


def test_each_file_has_its_figures_in_json(tmp_path, lines):
    whole = write(tmp_path / "a.wav", lines[0]).read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    stale = bytearray(whole)
    stale[40:44] = (64_000).to_bytes(4, "little")
    stale[-2:] = b"\x01\x00"  # so that it is no duplicate
    (tmp_path / "stale.wav").write_bytes(stale)
    found = {entry["recording"]: entry for entry in check(tmp_path, SHORT).to_json()["recordings"]}
    assert {name: entry["verdict"] for name, entry in found.items()} == {
        "a.wav": "used",
        "cut.wav": "set aside",
        "stale.wav": "used",
    }
    assert found["cut.wav"]["container_seconds"] == pytest.approx(4.0, abs=0.01)
    for name in ("a.wav", "stale.wav"):
        assert found[name]["container_seconds"] == found[name]["seconds"] == 8.0
        assert found[name]["usable_seconds"] == pytest.approx(8.0, abs=0.1)
        assert found[name]["voiced_fraction"] > 0.8
        assert 2_000 < found[name]["reach_hz"] <= 8_000


@pytest.mark.parametrize("highest", [500.0, 3_400.0, 7_000.0])
def test_the_reach_of_a_sound_is_its_highest_frequency(highest):
    time = np.arange(16000 * 4) / 16000
    sound = sum(np.sin(2 * np.pi * hertz * time) for hertz in np.arange(100.0, highest + 1, 100.0)) * 0.01
    noisy = sound + 1e-6 * np.random.default_rng(0).standard_normal(len(time))
    assert reach(reader(noisy), len(noisy), 16000) == pytest.approx(highest, abs=50.0)
    assert reach(reader(np.zeros(9000)), 9000, 16000) is None


def test_a_refusal_shows_the_table_and_survives_pickling():
    report = IngestReport((RecordingEntry("a.wav", "set aside", "is empty (0 bytes)"),), ("too little",))
    refused = pickle.loads(pickle.dumps(IngestRefused(report)))
    assert refused.report == report
    assert "a.wav" in str(refused)
    assert "refused: too little" in str(refused)


def test_the_plan_does_not_depend_on_the_order_in_which_recordings_arrive():
    entry = RecordingEntry("0.wav", "used", recording_id="0", seconds=50.0, usable_seconds=50.0)
    summaries = [
        (replace(entry, recording=f"{n}.wav", recording_id=str(n // 2)), Sound(str(n // 2), 12500, ((0, 12500),)))
        for n in range(12)
    ]
    plan = make_plan(summaries, CONFIG)
    assert plan == make_plan(summaries[::-1], CONFIG)
    assert [one.verdict for one in plan.report.recordings].count("duplicate") == 6


def test_the_newest_spans_and_versions_are_taken(tmp_path, lines):
    for take in ("span-1/version-1/a", "span-2/version-1/b", "span-2/version-2/c", "span-10/version-3/nested/d"):
        write(tmp_path / f"{take}.wav", lines[0])
    assert input_pattern(str(tmp_path)) == "span-{SPAN}/version-{VERSION}/*"
    (tmp_path / "span-11" / "version-1").mkdir(parents=True)  # nothing in it yet
    found = resolve(str(tmp_path), "span-{SPAN}/version-{VERSION}/*")
    assert found == Resolved("span-10/version-3/*", 10, 3)
    taken = [list_recordings(str(tmp_path), found.pattern, window).names for window in (1, 2, 9)]
    newest, before, first = "span-10/version-3/nested/d.wav", "span-2/version-2/c.wav", "span-1/version-1/a.wav"
    assert taken == [(newest,), (newest, before), (first, newest, before)]


def test_a_newest_span_that_cannot_be_used_is_not_passed_over_for_those_before_it(tmp_path, lines):
    wide = config("examples.min_minutes=0.1", "examples.span_window=2")
    for number in range(2):
        write(tmp_path / "span-1" / f"{number}.wav", lines[number])
    assert check(tmp_path, wide).would_run
    (tmp_path / "span-2").mkdir()
    (tmp_path / "span-2" / "notes.txt").write_text("to be recorded")
    with pytest.raises(UserError, match=r"span-2: no recordings there"):
        check(tmp_path, wide)
    (tmp_path / "span-2" / "a.wav").write_bytes(b"not audio")
    report = check(tmp_path, wide)
    assert report.refusals == ("none of the recordings in span-2, the newest span, can be used: the table states why",)


def test_a_recording_stays_on_its_side_whichever_spans_it_is_used_with():
    def summaries(*spans: int) -> list[Summary]:
        names = [(f"span-{span}/{n}.wav", f"{n}{span}") for span in spans for n in range(4)]
        return [
            (RecordingEntry(name, "used", recording_id=key, usable_seconds=50.0), Sound(key, 12500, ((0, 12500),)))
            for name, key in names
        ]

    alone, together = make_plan(summaries(9), CONFIG).cuts, make_plan(summaries(8, 9, 10), CONFIG).cuts
    assert {name: (cuts.train, cuts.eval) for name, cuts in alone.items()} == {
        name: (together[name].train, together[name].eval) for name in alone
    }
    assert all(cuts.span == name.partition("/")[0] for name, cuts in together.items())


def test_spans_may_be_written_with_zeros(tmp_path, lines):
    for span in ("span-01", "span-02", "span-10"):
        write(tmp_path / span / "a.wav", lines[0])
    assert resolve(str(tmp_path), input_pattern(str(tmp_path))) == Resolved("span-10/*", 10)
    assert list_recordings(str(tmp_path), "span-2/*", 2).names == ("span-01/a.wav", "span-02/a.wav")


def test_a_recording_beside_spans_is_an_error_and_so_are_no_spans(tmp_path, lines):
    with pytest.raises(UserError, match="no span-N folder"):
        resolve(str(tmp_path), "span-{SPAN}/*")
    write(tmp_path / "span-1" / "a.wav", lines[0])
    with pytest.raises(UserError, match="no version-M folder"):
        resolve(str(tmp_path), "span-{SPAN}/version-{VERSION}/*")
    write(tmp_path / "loose.wav", lines[0])
    with pytest.raises(UserError, match=r"loose\.wav lies beside"):
        input_pattern(str(tmp_path))


def test_recordings_need_no_spans_and_spans_need_no_versions(tmp_path, lines):
    write(tmp_path / "plain" / "span of a bridge" / "a.wav", lines[0])
    write(tmp_path / "spans" / "span-3" / "a.wav", lines[0])
    write(tmp_path / "mixed" / "span-1" / "version-1" / "a.wav", lines[0])
    write(tmp_path / "mixed" / "span-2" / "a.wav", lines[0])
    assert input_pattern(str(tmp_path / "plain")) == "*"
    assert input_pattern(str(tmp_path / "spans")) == "span-{SPAN}/*"
    with pytest.raises(UserError, match="make them alike"):
        input_pattern(str(tmp_path / "mixed"))


def test_the_fingerprint_changes_with_any_recording_and_nothing_else(tmp_path, lines):
    def now() -> str:
        return fingerprint(str(tmp_path), list_recordings(str(tmp_path), "*", 1))

    write(tmp_path / "deep" / "er" / "a.wav", lines[0])
    seen = [now()]
    (tmp_path / "readme.txt").write_text("not a recording")
    assert now() == seen[0]
    os.utime(tmp_path / "deep" / "er" / "a.wav", (1, 1))  # fetched anew
    assert now() == seen[0]
    write(tmp_path / "deep" / "er" / "a.wav", lines[1])
    seen.append(now())
    shutil.move(tmp_path / "deep" / "er" / "a.wav", tmp_path / "deep" / "a.wav")
    seen.append(now())
    write(tmp_path / "b.wav", lines[1])
    seen.append(now())
    assert len(set(seen)) == 4


def test_progress_counts_the_seconds_of_all_recordings(tmp_path, lines):
    write(tmp_path / "a.wav", lines[0])
    write(tmp_path / "b.wav", lines[1])
    steps: list[tuple[str, float, float]] = []
    check(tmp_path, SHORT, lambda *step: steps.append(step))
    assert [step[1] for step in steps] == sorted(step[1] for step in steps)
    assert steps[-1] == ("", 17.0, 17.0)


@pytest.mark.parametrize(
    "name", ["take.WAVE", "take.au", "take.caf", "take.w64", "take.aifc", "take.8svx", "take", "take.dat"]
)
def test_every_kind_that_is_decoded_is_listed_whatever_its_name(tmp_path, lines, name):
    forms = {"au": "AU", "caf": "CAF", "w64": "W64", "aifc": "AIFF", "8svx": "SVX", "dat": "FLAC"}
    form = forms.get(name.partition(".")[2], "WAV")
    write(tmp_path / name, lines[0], format=form)
    write(tmp_path / "b.wav", lines[1])
    assert verdicts(check(tmp_path, SHORT)) == {name: "used", "b.wav": "used"}


def test_undecodable_names_are_shown_and_read(tmp_path: Path):
    assert printable_name("two\nlines\x1b[31m\u202e.wav") == "two\\nlines\\x1b[31m\\u202e.wav"
    assert printable_name("cafe\u0301.wav") == "caf\u00e9.wav"
    assert printable_name("\udcff.wav") == "\ufffd.wav"


def test_names_that_differ_in_unicode_form_only_are_shown_apart(tmp_path, lines):
    composed, decomposed = "caf\u00e9.wav", "cafe\u0301.wav"
    write(tmp_path / composed, lines[0])
    write(tmp_path / decomposed, lines[1])
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("this file system knows one form only")
    assert verdicts(check(tmp_path, SHORT)) == {composed: "used", "cafe\\u0301.wav": "used"}


def test_a_decomposed_name_alone_is_shown_composed(tmp_path, lines):
    write(tmp_path / "cafe\u0301.wav", lines[0])
    write(tmp_path / "b.wav", lines[1])
    assert verdicts(check(tmp_path, SHORT)) == {"caf\u00e9.wav": "used", "b.wav": "used"}
