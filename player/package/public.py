"""Plays Swara's instruments from their bundles, without TensorFlow: in steps, from recordings, and from MIDI.

As the package `swara_player` it has these names at its top; see docs/player.md. Each is imported when it is used, since
recordings need packages that a player of steps or of MIDI files does not.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from common.errors import UserError as UserError
    from player.bundle import Bundle as Bundle
    from player.bundle import load as load
    from player.midi.render import render_midi as render_midi
    from player.midi.transcribe import transcribe as transcribe
    from player.player import Player as Player
    from player.player import play as play
    from player.render import render as render_voice  # noqa: F401

MODULES = {
    "Bundle": "bundle",
    "Player": "player",
    "UserError": "bundle",  # which raises it
    "load": "bundle",
    "play": "player",
    "render_midi": "midi.render",
    "render_voice": "render",
    "transcribe": "midi.transcribe",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{MODULES[name]}")
    return getattr(module, "render" if name == "render_voice" else name)  # `render` is a module of the package
