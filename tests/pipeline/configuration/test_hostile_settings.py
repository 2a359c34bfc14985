"""Settings of any shape are resolved or refused: in one bounded line, with exit code 2, in bounded time."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kubeflow_runner
import local_runner
from common.errors import UserError
from common.text import MOST_CHARACTERS
from pipeline.command import BAD_INPUT, DONE, run_verb
from pipeline.configuration.beam import beam_arguments
from pipeline.configuration.loading import CONFIGS, load

ROOT = Path(__file__).resolve().parents[3]
VIOLIN = (CONFIGS / "instruments" / "violin.yaml").read_text(encoding="utf-8")
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    shutil.copytree(CONFIGS, tmp_path / "configs")
    return tmp_path / "configs"


def refusal(configs: Path, text: str | None = None) -> str:
    """The message for a violin whose file holds a text."""
    if text is not None:
        (configs / "instruments" / "violin.yaml").write_text(text, encoding="utf-8")
    began = time.perf_counter()
    with pytest.raises(UserError) as error:
        load("violin", configs=configs)
    assert time.perf_counter() - began < 1.0
    assert len(str(error.value)) <= MOST_CHARACTERS
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_key_that_is_given_twice_names_both_lines(configs: Path):
    lines = VIOLIN.count("\n")
    twice = refusal(configs, f"{VIOLIN}trainer: {{steps: 3}}\n# between\ntrainer: {{seed: 4}}\n")
    assert twice == (
        "configs/instruments/violin.yaml: the key 'trainer' is given twice in one mapping, in line "
        f"{lines + 1} and in line {lines + 3}: only one of them can hold"
    )
    assert "the key 'steps' is given twice" in refusal(configs, f"{VIOLIN}trainer:\n  steps: 3\n  'steps': 4\n")
    with pytest.raises(UserError, match=r"--set trainer=\{.*: the value the key 'steps' is given twice"):
        load("violin", ["trainer={steps: 3, steps: 4}"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (BOMB, "values or more, with aliases written out"),
        (f"{BOMB}trainer: {{steps: *j}}", "values or more, with aliases written out"),
        ("trainer: &a {steps: *a}", "line 1: an alias refers to a value that contains it"),
        ("a: &a {b: 1}\nc: {<<: [*a, *a, *a]}\n" + "[" * 100_000, "not readable as YAML"),
        ("trainer: " + "[" * 50_000, "has more than 40 groups within one another"),
        ("trainer: " + "{a: " * 40_000, "has more than 40 groups within one another"),
        ("x" * 300_000, "characters; settings have 200,000 at most"),
        ("trainer: {on: 3}", "line 1: a key must be a word, not 'on'"),
        ("trainer: {[1]: 3}", "line 1: a key must be a word, not a sequence"),
        ("trainer: {2.5: 3}", "a key must be a word, not '2.5'"),
        (f"trainer: {{steps: 0x{'f' * 5000}}}", "is too large for a number"),
        ("trainer: {steps: 9007199254740993}", "9007199254740993 is too large for a number"),
        ("trainer: !" + "t" * 10_000 + " {}", "not readable as YAML"),
        ("trainer: {steps: *none}", "undefined alias"),
    ],
    ids=range(14),
)
def test_a_text_that_would_blow_up_is_refused_at_once(configs: Path, text: str, what: str):
    assert what in refusal(configs, text)


def test_aliases_that_stay_small_hold_and_are_merged_apart(configs: Path):
    text = f"{VIOLIN}evaluator: &x {{}}\ntrainer: &t {{steps: 7}}\ntuner: {{enabled: false}}\n"
    (configs / "instruments" / "violin.yaml").write_text(text.replace("tuner", "browser_validator: *x\ntuner"))
    config = load("violin", ["trainer.steps=9"], configs)
    assert config.trainer.steps == 9


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.mkdir(), "is no plain file"),
        (lambda path: path.symlink_to(path.name), "cannot be read: Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/nowhere"), "no such file"),
        (os.mkfifo, "is no plain file"),
        (lambda path: path.symlink_to("/dev/zero"), "is no plain file"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00trainer"), "not readable as YAML"),
        (lambda path: path.write_bytes(b"trainer: \x00"), "not readable as YAML"),
        (lambda path: path.write_bytes(b""), "must hold settings"),
    ],
)
def test_a_file_of_settings_that_is_none_is_one_clear_line(configs: Path, make: Any, what: str):
    path = configs / "instruments" / "violin.yaml"
    path.unlink()
    make(path)
    assert what in refusal(configs)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be refused, so root")
def test_a_file_of_settings_that_may_not_be_read_is_one_clear_line(configs: Path, tmp_path: Path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to("/tmp/pytest-of-root"):
            folder.chmod(0o755)
    (configs / "instruments" / "violin.yaml").chmod(0)
    reader = os.fork()
    if not reader:
        os.setuid(65534)
        try:
            load("violin", configs=configs)
        except UserError as error:
            os._exit(0 if "violin.yaml: cannot be read: Permission denied" in str(error) else 3)
        finally:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]) == 0


# Any value of any type at any key.


def keys_of(value: Any, at: tuple[str, ...] = ()) -> Iterator[str]:
    """Dotted keys of a resolved configuration, groups and elements of lists among them."""
    if at:
        yield ".".join(at)
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from keys_of(inner, (*at, str(key)))


KEYS = sorted(
    {key for model in ("cnn", "gru") for key in keys_of(load("violin", [f"model={model}"]).model_dump(mode="json"))}
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 10**400]),
    st.floats(),
    st.text(max_size=30),
    st.sampled_from(["", "cnn", "x" * 5000, "\x1b[2J", "a\nb", "gs://", "../..", "{}", "~", "=", "स्वर", "\ud800"]),
    st.dates(),
    st.binary(max_size=8),
)
NAMES = st.one_of(
    st.sampled_from([key.rpartition(".")[2] for key in KEYS] + ["kind", "type", "name"]), st.text(max_size=9)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)
SETTINGS = st.lists(
    st.builds(
        lambda key, value: f"{key}={value}",
        st.one_of(st.sampled_from(KEYS), st.builds("{}.{}".format, st.sampled_from(KEYS), NAMES)),
        st.one_of(VALUES.map(lambda value: yaml.dump(value, allow_unicode=True)), st.text(max_size=40)),
    ),
    min_size=1,
    max_size=3,
)


def resolve(overrides: list[str]) -> None:
    """Resolves settings as a runner does, and writes what a run would write of them."""
    out, err = io.StringIO(), io.StringIO()

    def use() -> tuple[int, dict[str, Any]]:
        config = load("violin", overrides, retraining=True)
        if config.beam.runner != "dataflow":
            beam_arguments(config.beam)
        return DONE, {"hash": config.hash()}

    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_verb(use, True)
    printed = err.getvalue()
    assert code == (BAD_INPUT if printed else DONE)
    assert printed.count("\n") == bool(printed)
    assert len(printed) <= MOST_CHARACTERS + len("error: \n")
    assert not printed or printed[:-1].isprintable()


QUICK = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
LONG = settings(QUICK, max_examples=2000)


@QUICK
@given(SETTINGS)
def test_any_value_at_any_key_is_taken_or_refused_in_one_line(overrides: list[str]):
    resolve(overrides)


@pytest.mark.soak(part="data")
@LONG
@given(SETTINGS)
def test_two_thousand_random_settings_are_taken_or_refused_in_one_line(overrides: list[str]):
    resolve(overrides)


# Command lines.


@pytest.mark.parametrize(
    ("runner", "command"),
    [
        (local_runner, ["run", "--instrument", "demo", "--output", ""]),
        (local_runner, ["run", "--instrument", "demo", "--recordings", " "]),
        (local_runner, ["run", "--instrument", ""]),
        (local_runner, ["run", "--instrument", "demo", "--output", "x" * 5000]),
        (local_runner, ["check", "--recordings", ""]),
        (local_runner, ["retrain", "--all", "--output", ""]),
        (local_runner, ["render", "--bundle", "", "--input", "a", "--output", "b"]),
        (local_runner, ["lineage", "demo", "--output", ""]),
        (local_runner, ["x" * 5000]),  # a verb
        (local_runner, ["serve", "--port", "x" * 5000]),
        (
            kubeflow_runner,
            ["compile", "--instrument", "demo", "--output", "", "--pipeline-root", "gs://x/y", "--image", "i"],
        ),
    ],
)
def test_an_empty_or_impossible_argument_is_one_line(
    runner: Any, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        runner.main(command)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: argument ")
    assert len(line) <= MOST_CHARACTERS + 100
    assert not list(tmp_path.iterdir())


def test_a_ring_of_links_is_no_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "ring").symlink_to("ring")
    with pytest.raises(SystemExit, match="2"):
        local_runner.main(["run", "--instrument", "demo", "--output", str(tmp_path / "ring")])
    assert "ring': Too many levels of symbolic links" in capsys.readouterr().err


ASCII = {"PYTHONIOENCODING": "ascii"}
NO_UTF8 = {**ASCII, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


@pytest.mark.parametrize(
    ("verb", "terminal", "what"),
    [
        ("run", ASCII, "\\u0930\\u093e\\u0917.wav': no such file"),
        ("check", ASCII, "\\u0938\\u093e.wav"),
        ("run", NO_UTF8, "--set report.voice="),
        ("check", NO_UTF8, "is not Unicode (UTF-8): rename that file"),
    ],
)
def test_a_terminal_without_utf8_shows_what_it_can(verb: str, terminal: dict[str, str], what: str, tmp_path: Path):
    (tmp_path / "स्वर").mkdir()
    (tmp_path / "स्वर" / "सा.wav").write_bytes(b"no sound")
    command = [verb, "--instrument", "demo", "--recordings", str(tmp_path / "स्वर")]
    voice = ["--set", "report.voice=राग.wav"] if verb == "run" else []
    done = subprocess.run(
        [sys.executable, str(ROOT / "local_runner.py"), *command, *voice],
        capture_output=True,
        encoding="ascii",
        env={**os.environ, **terminal},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == BAD_INPUT, done.stderr
    assert "Traceback" not in done.stderr
    assert what in done.stdout + done.stderr
