"""Write sounds that are made block by block, whatever their length."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from common.errors import UserError
from common.output_file import written

FORMATS = {".wav": "WAV", ".flac": "FLAC"}
SUBTYPE = "PCM_24"
FULL_SCALE = 1.0 - 2.0**-15
COPY_BYTES = 1 << 20

Audio = npt.NDArray[np.float32]  # [samples]


def check_path(path: Path) -> None:
    """Check that a sound can be written, before the work of making it.

    Raises:
      UserError: the extension is not that of a known format, or the folder is absent.
    """
    if path.suffix.lower() not in FORMATS:
        raise UserError(f"{path}: cannot write {path.suffix or 'a file without extension'}: name a .wav or .flac file")
    folder = Path(os.path.realpath(path)).parent  # of a symbolic link, that of its target
    if not folder.is_dir():
        raise UserError(f"{path}: there is no folder {folder}: make it, or choose another file")
    if path.is_dir():
        raise UserError(f"{path}: is a folder: name a file in it")


def write_sound(path: Path, blocks: Iterable[Audio], sample_rate: int) -> float:
    """Write a sound whole or not at all, and turn it down as a whole where it would clip.

    The blocks wait in a nameless file beside the output, since the peak is known only at the end. A symbolic link or
    a device stays what it is (see `written`).

    Args:
      path: of a wav or flac file (24 bits), by its extension; replaced if it exists.
      blocks: [samples] each, one after the other.
      sample_rate: Hz.

    Returns:
      The gain: 1, or less where the peak lay above full scale.

    Raises:
      UserError: the file cannot be written.
    """
    import soundfile

    check_path(path)
    try:
        with written(path) as part, tempfile.TemporaryFile(dir=part.parent) as waiting:
            peak = max((_append(waiting, block) for block in blocks), default=0.0)
            gain = min(1.0, FULL_SCALE / peak) if peak > 0.0 else 1.0
            waiting.seek(0)
            with soundfile.SoundFile(part, "w", sample_rate, 1, SUBTYPE, format=FORMATS[path.suffix.lower()]) as file:
                while stored := waiting.read(COPY_BYTES):
                    file.write(np.frombuffer(stored, np.float32) * np.float32(gain))
    except (OSError, soundfile.LibsndfileError) as error:
        why = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: cannot be written ({why}): free some space or choose another file") from None
    return gain


def _append(file: IO[bytes], block: Audio) -> float:
    """Append a block to the file. Return its peak."""
    file.write(np.asarray(block, np.float32).tobytes())
    return float(np.max(np.abs(block), initial=0.0))
