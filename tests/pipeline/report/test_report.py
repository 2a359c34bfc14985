"""The report is one file that needs no other, for a run that was pushed and for one that ended early."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from common.verdict import Verdict
from data.ingest_report import IngestReport, RecordingEntry
from models.instrument import Instrument
from pipeline.configuration.config import Config
from pipeline.configuration.loading import load
from pipeline.local.outcome import Outcome
from pipeline.report import write_report
from pipeline.report.distributions import distributions
from pipeline.report.resynthesis import resynthesise
from pipeline.store.folders import RunFolders
from pipeline.store.records import ArtifactRecord, RunRecord
from tests.data.written_examples import write_examples
from tests.player.playable_bundle import write_playable_bundle

SMALL = [
    "model.decoder.channels=8",
    "model.decoder.layers=2",
    "model.processors.reverb.seconds=0.2",
    "report.examples=2",
]
NASTY = "<script>alert('1')</script>\" onerror=x & लय.wav"
INGEST = IngestReport(
    (
        RecordingEntry(NASTY, "used", None, None, "ab", 60.0, 50.0, 44100, 1, 6, 3, -20.0, 200.0, 400.0, 0.9),
        RecordingEntry("noise.wav", "set aside", "no <pitched> sound"),
    )
)
EVALUATED = {"spectral_loss": 6.4, "baseline_spectral_loss": 9.1, "loss_over_baseline": 0.7, "f0_error_cents": 3.0}
REFUSAL = "loss_over_baseline is <1.2>; at most 0.9 is allowed"


class Elements(HTMLParser):
    """Every start tag of a page, and whether tags close in the order in which they open."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attributes[name] or "" for found, attributes in self.tags if found == tag and name in attributes]


class Halver(tf.Module):
    """Has the Trainer's `eval_losses` signature; its resynthesis is the recording at half the level."""

    def __init__(self, samples: int):
        super().__init__()
        self._samples = samples

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def eval_losses(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        audio = tf.io.parse_example(examples, {"audio": tf.io.FixedLenFeature([self._samples], tf.float32)})["audio"]
        ones = tf.ones_like(audio[:, 0])
        losses = {"spectral_loss": 6.4 * ones, "baseline_spectral_loss": 9.1 * ones, "loudness_l1_db": 6.02 * ones}
        return {"audio": 0.5 * audio, **losses}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, dict[str, dict[str, ArtifactRecord]]]:
    """Artifacts of a whole run with three eval windows."""
    root = tmp_path_factory.mktemp("run")
    soundfile.write(root / "voice.wav", _tone(3 * 16000, 220.0), 16000)
    config = load("violin", [*SMALL, f"report.voice={root / 'voice.wav'}"])
    for split, windows in (("train", 6), ("eval", 3)):
        write_examples(root / "examples" / f"Split-{split}", _windows(config, windows))
    INGEST.write(root / "examples")
    serving, module = root / "model" / "Format-Serving", Halver(config.audio.window_samples)
    tf.saved_model.save(module, str(serving), signatures={"eval_losses": module.eval_losses})
    training = {"steps": 3, "seconds": 60.0, "seed": 0, "best_step": 3, "eval_loss": 6.4}
    (serving / "instrument.json").write_text(json.dumps({"training": training}))
    history = {"train_loss": [9.0, 8.0, 7.0], "eval_steps": [0, 3], "eval_loss": [9.5, 6.4], "seconds": [0.0, 60.0]}
    (serving / "history.json").write_text(json.dumps(history))
    write_playable_bundle(root / "bundle" / "Format-Serving", Instrument(config.model, config.audio), config)
    return config, {
        "RecordingExampleGen": {"examples": ArtifactRecord(root / "examples", {})},
        "Trainer": {"model": ArtifactRecord(root / "model", {})},
        "TfjsExporter": {"bundle": ArtifactRecord(root / "bundle", {})},
    }


def _tone(samples: int, hz: float) -> np.ndarray:
    time = np.arange(samples) / 16000
    return (0.2 * sum(np.sin(2 * np.pi * hz * k * time) / k for k in range(1, 6))).astype(np.float32)


def _windows(config: Config, count: int) -> Iterator[dict[str, Any]]:
    audio = config.audio
    for window in range(count):
        yield {
            "audio": _tone(audio.window_samples, 220.0 + window),
            "f0_hz": np.full(audio.window_frames, 440.0 * 2.0 ** (window / 12)),
            "f0_confidence": np.where(np.arange(audio.window_frames) < 600, 0.9, 0.1),
            "loudness_db": np.where(np.arange(audio.window_frames) < 600, -25.0, -80.0),
            "start_seconds": 4.0 * window,
            "recording": NASTY,
        }


def _outcome(
    artifacts: dict[str, dict[str, ArtifactRecord]], *verdicts: Verdict, version: str | None = None
) -> Outcome:
    return Outcome(RunRecord(artifacts, frozenset()), INGEST if artifacts else None, verdicts, version)


def _html(config: Config, outcome: Outcome, folder: Path) -> str:
    path = write_report(config, RunFolders(folder / "recordings", folder, "violin"), outcome)
    assert path == folder / "violin" / "report.html"
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]
    return path.read_text(encoding="utf-8")


def test_a_pushed_run_has_a_whole_report(run, tmp_path: Path):
    config, artifacts = run
    verdicts = [Verdict.of("DataGate", [], {"windows": {"train": 6}}), Verdict.of("Evaluator", [], EVALUATED)]
    html = _html(config, _outcome(artifacts, *verdicts, version="20250301T120000Z-01234567"), tmp_path)
    page = Elements(html)
    assert page.open == []
    assert "Pushed as 20250301T120000Z-01234567" in html
    for heading in ("Listen", "Gates", "Training", "Recordings", "Bundle", "Configuration"):
        assert f">{heading}</h2>" in html
    assert len(page.attributes("audio", "src")) == 2 * 2 + 2  # two windows and the voice
    assert len(page.attributes("img", "src")) == len(page.attributes("audio", "src"))
    assert config.hash() in html
    assert "A voice, turned into the instrument: voice.wav" in html


def test_it_loads_nothing_from_anywhere_and_runs_only_its_own_script(run, tmp_path: Path):
    config, artifacts = run
    html = _html(config, _outcome(artifacts), tmp_path)
    page = Elements(html)
    addresses = [value for _, attributes in page.tags for key, value in attributes.items() if key in ("src", "href")]
    assert addresses
    assert all((address or "").startswith("data:") for address in addresses)
    assert "@import" not in html
    assert "url(" not in html
    [policy] = [content for content in page.attributes("meta", "content") if "default-src" in content]
    assert policy.startswith("default-src 'none';")
    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert len(page.attributes("script", "src")) == 0


def test_what_users_wrote_never_becomes_markup(run, tmp_path: Path):
    config, artifacts = run
    nasty = config.instrument.model_copy(update={"title": NASTY, "description": NASTY})
    html = _html(
        config.model_copy(update={"instrument": nasty}),
        _outcome(artifacts, Verdict.of("Evaluator", [REFUSAL], EVALUATED)),
        tmp_path,
    )
    page = Elements(html)
    assert page.open == []
    assert sum(tag == "script" for tag, _ in page.tags) == 1
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "&lt;script&gt;alert" in html
    assert "no &lt;pitched&gt; sound" in html
    assert "loss_over_baseline is &lt;1.2&gt;" in html


def test_a_refused_run_names_the_gate_and_its_reasons(run, tmp_path: Path):
    config, artifacts = run
    verdicts = [Verdict.of("DataGate", [], {}), Verdict.of("Evaluator", ["the loss is too high"], EVALUATED)]
    html = _html(config, _outcome(artifacts, *verdicts), tmp_path)
    assert "Not pushed: refused by Evaluator" in html
    assert html.count("the loss is too high") == 2  # at the head, and at its gate


def test_a_run_that_ended_at_the_data_gate_has_a_report_of_as_much(run, tmp_path: Path):
    config, artifacts = run
    only_examples = {"RecordingExampleGen": artifacts["RecordingExampleGen"]}
    html = _html(config, _outcome(only_examples, Verdict.of("DataGate", ["f0_hz drifted"], {})), tmp_path)
    assert "refused by DataGate" in html
    assert ">Recordings</h2>" in html
    assert ">Training</h2>" not in html
    assert "so the voice clip could not be turned into the instrument" in html


def test_a_run_that_left_nothing_still_has_a_report(tmp_path: Path):
    html = _html(load("violin"), _outcome({}), tmp_path)
    assert "ended before any gate" in html


def test_a_voice_that_cannot_be_read_is_a_notice_and_no_fault(run, tmp_path: Path):
    config, artifacts = run
    absent = config.report.model_copy(update={"voice": "absent.wav"})
    html = _html(config.model_copy(update={"report": absent}), _outcome(artifacts), tmp_path)
    assert "The voice clip could not be turned into the instrument: absent.wav: no such recording" in html


def test_windows_are_resynthesised_by_the_model(run):
    config, artifacts = run
    resyntheses = resynthesise(
        artifacts["RecordingExampleGen"]["examples"].uri,
        artifacts["Trainer"]["model"].uri / "Format-Serving",
        2,
        config.audio,
    )
    assert [window.start_seconds for window in resyntheses] == [0.0, 4.0]  # of three
    for window in resyntheses:
        assert window.recording == NASTY
        np.testing.assert_allclose(window.audio, 0.5 * window.original)
        assert (window.loss, window.baseline_loss) == pytest.approx((6.4, 9.1))


def test_distributions_count_trusted_pitches_and_sounding_frames(run):
    config, artifacts = run
    found = distributions(artifacts["RecordingExampleGen"]["examples"].uri, config.audio)
    np.testing.assert_array_equal(found.midi_counts, [600] * 6)
    np.testing.assert_array_equal(found.midi_edges, np.arange(68.5, 75.0))
    assert found.loudness_counts.sum() == 6 * 600
    assert found.loudness_edges[0] <= -25.0 < found.loudness_edges[-1]
