import re

import pytest

from bundles.card import model_card, plain
from tests.bundles.small_bundle import write_small_bundle


def test_the_card_names_the_recordings_their_makers_and_their_terms(tmp_path):
    manifest = write_small_bundle(tmp_path / "bundle")
    card = model_card({**manifest, "metrics": {"spectral_loss": 6.789, "f0_error_cents": 5.5, "windows": 42.0}})
    assert card.startswith("# Violin\n")
    assert "2 recordings, 1.5 minutes in 20 windows (4 more kept for evaluation)" in card
    assert "| John Garner | CC-BY-3.0 |" in card
    assert "The model's own licence: CC-BY-3.0." in card
    assert "| Multi-scale spectral loss | 6.789 |" in card
    assert "| Median f0 error of the generated audio | 5.5 cents |" in card
    assert "It was trained on notes from A3 to A4 and loudness from -50 to -20 dB" in card
    assert 'tf.loadGraphModel("full/model.json")' in card
    assert manifest["data"]["fingerprint"] in card


def test_a_card_without_evaluation_states_that(tmp_path):
    assert "Not evaluated yet." in model_card(write_small_bundle(tmp_path / "bundle"))


HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) | # * _a_ `b` ![i](//e) &amp;\n\n# New heading\n---\n"


def test_no_markup_of_a_users_text_survives_in_the_card(tmp_path):
    credit = {"work": HOSTILE, "by": HOSTILE, "licence": "a|b", "source": HOSTILE}
    instrument = {"title": HOSTILE, "description": "1. " + HOSTILE, "licence": HOSTILE, "credits": [credit]}
    manifest = write_small_bundle(tmp_path / "bundle", instrument=instrument)
    card = model_card(manifest)
    assert "<script" not in card
    assert "New heading" in card
    assert not re.search(r"^\s*# New heading", card, re.MULTILINE)
    assert not re.search(r"(?<!\\)\[x", card)
    rows = [line for line in card.splitlines() if "alert" in line and line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", row)) for row in rows] == [5]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sonate in h-Moll", "Sonate in h-Moll"),
        ("बांसुरी", "बांसुरी"),
        ("1. Satz", r"1\. Satz"),
        ("- dash", r"\- dash"),
        ("a_b*c", r"a\_b\*c"),
        ("x < y & z", "x &lt; y &amp; z"),
        ("two\n\nlines", "two lines"),
    ],
)
def test_plain_text_reads_as_it_was_written(text, expected):
    assert plain(text) == expected
