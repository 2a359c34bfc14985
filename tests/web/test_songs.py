"""The songs of the page follow their schema, and the schema refuses what no song is."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

SONGS = Path(__file__).resolve().parents[2] / "web" / "page" / "songs"
SCHEMA = json.loads((SONGS / "song.schema.json").read_text(encoding="utf-8"))
FILES = sorted(path for path in SONGS.glob("*.json") if path.name != "song.schema.json")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_songs_follow_the_schema(path: Path):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(path.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "other"},
        {"format_version": 2},
        {"tempo": 0},
        {"tonic": 20},
        {"notes": []},
        {"notes": [{"semitones": 0.5, "beats": 1}]},
        {"notes": [{"semitones": 0}]},
        {"notes": [{"semitones": 0, "beats": 0}]},
        {"notes": [{"semitones": 0, "beats": 1, "syllable": ""}]},
        {"unknown": 1},
    ],
)
def test_the_schema_refuses(change: dict[str, Any]):
    song = copy.deepcopy(json.loads(FILES[0].read_text(encoding="utf-8")))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**song, **change}, SCHEMA)
