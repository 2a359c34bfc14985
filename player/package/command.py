"""The command `swara-player`: recordings and MIDI files on an instrument, and recordings as MIDI files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from common.errors import UserError
from common.text import one_line


def main(arguments: list[str] | None = None) -> int:
    """Run the command. Exit codes: 0 done, 2 bad arguments or data."""
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.verb == "transcribe":
            from player.midi.transcribe import transcribe

            print(f"{parsed.output}: {transcribe(parsed.input, parsed.output)['notes']} notes")
        elif parsed.midi:
            from player.midi.render import render_midi

            _report(parsed.output, render_midi(parsed.bundle, parsed.midi, parsed.output))
        else:
            from player.render import render

            _report(parsed.output, render(parsed.bundle, parsed.input, parsed.output))
    except UserError as error:
        print(f"error: {one_line(str(error))}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="swara-player", description=__doc__)
    verbs = top.add_subparsers(dest="verb", required=True)
    render = verbs.add_parser("render", help="play a recording or a MIDI file on an instrument")
    render.add_argument("--bundle", type=Path, required=True, help="pushed/NAME or pushed/NAME/VERSION")
    played = render.add_mutually_exclusive_group(required=True)
    played.add_argument("--input", type=Path, help="a recording of a voice or an instrument")
    played.add_argument("--midi", type=Path, help="a standard MIDI file")
    render.add_argument("--output", type=Path, required=True, help="wav or flac file to write")
    transcribe = verbs.add_parser("transcribe", help="write the notes of a recording as a standard MIDI file")
    transcribe.add_argument("--input", type=Path, required=True, help="a recording of a voice or an instrument")
    transcribe.add_argument("--output", type=Path, required=True, help=".mid file to write")
    return top


def _report(output: Path, figures: dict[str, object]) -> None:
    notes = figures["notes"]
    assert isinstance(notes, list)
    print(f"{output}: {figures['seconds']:.1f} s", *notes, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
