"""The instruments that a cluster command is for, and the folders of their recordings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from common.errors import UserError
from data.files.listing import input_pattern, list_recordings, resolve
from pipeline.configuration.config import Config
from pipeline.configuration.loading import instruments, load
from pipeline.retraining.unconfigured import as_text, unconfigured

LAYOUTS = {"files": "*", "spans": "span-{SPAN}/*", "versions": "span-{SPAN}/version-{VERSION}/*"}


@dataclass(frozen=True)
class Chosen:
    """One instrument.

    Attributes:
      config: its whole configuration.
      recordings: its folder or URI of recordings.
      layout: of them, a pattern of RecordingExampleGen.
    """

    config: Config
    recordings: str
    layout: str


@dataclass(frozen=True)
class Fleet:
    """The instruments of a command.

    Attributes:
      chosen: by name.
      left_out: reasons by name: of instruments without recordings, and of recordings that no instrument has.
    """

    chosen: dict[str, Chosen]
    left_out: dict[str, str]


def one_instrument(name: str, recordings: str, layout: str | None, overrides: Sequence[str]) -> Fleet:
    """Choose a single instrument.

    Args:
      name: a file in configs/instruments.
      recordings: its folder or URI.
      layout: one of `LAYOUTS`; None lists a folder of this machine, and takes spans for any other.
      overrides: `a.b=value`.

    Raises:
      UserError: a bad configuration, or recordings laid out in two ways.
    """
    config = load(name, overrides)
    if layout is not None:
        pattern = LAYOUTS[layout]
    else:
        pattern = input_pattern(recordings) if os.path.isdir(recordings) else LAYOUTS["spans"]
    return Fleet({name: Chosen(config, recordings, pattern)}, {})


def all_with_recordings(recordings: str, overrides: Sequence[str]) -> Fleet:
    """Choose every instrument in configs/instruments that has recordings.

    Args:
      recordings: folder or URI that holds one folder an instrument, which is listed.
      overrides: `a.b=value`, for all of them.

    Raises:
      UserError: a bad configuration, or no instrument has recordings.
    """
    chosen: dict[str, Chosen] = {}
    left_out: dict[str, str] = {}
    for name in instruments():
        config, folder = load(name, overrides), f"{recordings.rstrip('/')}/{name}"
        pattern = _layout_of(folder, config.examples.span_window)
        if isinstance(pattern, UserError):
            left_out[name] = str(pattern)
        else:
            chosen[name] = Chosen(config, folder, pattern)
    with _listing(recordings):
        without_instrument = unconfigured(recordings)
    if not chosen:
        raise UserError(
            f"{recordings}: no recordings of any instrument there: name a folder or URI with --recordings that holds "
            f"one folder an instrument ({', '.join(left_out)}){as_text(without_instrument)}"
        )
    return Fleet(chosen, {**left_out, **without_instrument})


def _layout_of(folder: str, span_window: int) -> str | UserError:
    """Find the layout of recordings, or the reason why there are none.

    Raises:
      UserError: the storage cannot be listed.
    """
    with _listing(folder):
        try:
            pattern = input_pattern(folder)
            list_recordings(folder, resolve(folder, pattern).pattern, span_window)
        except UserError as none:
            return none
        return pattern


@contextlib.contextmanager
def _listing(folder: str) -> Iterator[None]:
    """Raise UserError where the storage cannot be listed."""
    try:
        yield
    except UserError:
        raise
    except _faults_of_storage() as fault:  # evaluated only if something was raised: TensorFlow takes seconds
        why = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise UserError(
            f"{folder}: cannot be listed: {why}: see that the address and your rights there are right, or name one "
            "--instrument with its --layout, which is not listed"
        ) from None


def _faults_of_storage() -> tuple[type[Exception], ...]:
    """Return the errors that TFX's file systems raise: the system's own, and TensorFlow's for buckets."""
    import tensorflow as tf

    return OSError, tf.errors.OpError
