"""An instrument that was blessed at 16 kHz begins a new line at 48 kHz: trained, gated and pushed beside it."""

from __future__ import annotations

import json

import pytest

from tests.integration.conftest import Workshop

pytestmark = pytest.mark.slow


def test_the_full_band_begins_a_new_line_beside_an_instrument_at_16_khz(workshop: Workshop) -> None:
    before = workshop.latest()["version"]
    refused = workshop.run("audio.sample_rate=48000", "evaluator.max_loss_over_baseline=0.01")
    assert refused.code == 3
    assert workshop.latest()["version"] == before, "what is served stays until a model of the new line is blessed"

    made = workshop.run("audio.sample_rate=48000")
    assert made.code == 0, made.output
    assert "begins a new line, judged by absolute limits alone: audio.sample_rate is 48000 Hz" in made.output
    served = workshop.latest()["version"]
    assert served > before
    pushed = workshop.folders.pushed / workshop.folders.name
    rates = [
        json.loads((pushed / name / "manifest.json").read_text())["audio"]["sample_rate"] for name in (before, served)
    ]
    assert rates == [16000, 48000]
