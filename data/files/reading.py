"""Reads parts of a file by position, and hands a decoder a file that is put together from such parts."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import BinaryIO

WINDOW_BYTES = 2**18  # read at a time
MARGIN_SECONDS = 0.25  # that may be missing: a cut last frame, what a decoder drops at the beginning
REST_SECONDS = 0.05  # behind the end of the audio that need not be chunks

Span = tuple[int, int]  # first byte and the one behind the last
Piece = bytes | Span  # bytes as they are, or those of the file


class Reader:
    """Bytes of a file by position, buffered; short at its end.

    Attributes:
      size: of the file, in bytes.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        self._start, self._window = 0, b""

    def read(self, position: int, length: int) -> bytes:
        """Read `length` bytes from a position on, fewer at the end of the file."""
        offset = position - self._start
        if offset < 0 or offset + length > len(self._window):
            if position >= self.size or length <= 0:
                return b""
            self._file.seek(position)
            self._start, self._window, offset = position, self._file.read(max(length, WINDOW_BYTES)), 0
        return self._window[offset : offset + length]

    def blocks(self, start: int, stop: int, overlap: int) -> Sequence[Span]:
        """Divide a part of the file into spans of a window each, which share `overlap` bytes with the next one."""
        starts = range(start, max(start + 1, stop - overlap), WINDOW_BYTES - overlap)
        return [(first, min(first + WINDOW_BYTES, stop)) for first in starts]

    def find(self, mark: bytes, start: int, stop: int) -> int:
        """Find the first position of a mark between two positions; -1 where there is none."""
        for first, last in self.blocks(start, stop, len(mark) - 1):
            at = self.read(first, last - first).find(mark)
            if at >= 0:
                return first + at
        return -1

    def without_zeros(self, start: int, stop: int) -> int:
        """Find the position behind the last byte between two positions that is not 0."""
        while stop > start:
            first = max(start, stop - WINDOW_BYTES)
            block = self.read(first, stop - first)[: stop - first]
            left = len(block.rstrip(b"\0"))
            if left:
                return first + left
            stop = first
        return start

    def is_zero(self, start: int, stop: int) -> bool:
        """Check whether all bytes between two positions are 0."""
        return self.without_zeros(start, stop) == start


class View(io.RawIOBase):
    """A read-only file made of pieces of another one and of bytes that replace others.

    Args:
      file: the other one.
      pieces: in order.

    Attributes:
      failed: reading the other file failed, which a decoder takes for its end.
    """

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        super().__init__()
        self._file, self._pieces = file, [piece for piece in pieces if _length(piece) > 0]
        self._ends = list(accumulate(_length(piece) for piece in self._pieces))
        self._position = 0
        self.failed: OSError | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._ends[-1] if self._ends else 0}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        """Read as many bytes as there are and the buffer holds."""
        view, done = memoryview(buffer).cast("B"), 0
        number = bisect_right(self._ends, self._position)
        while done < len(view) and number < len(self._pieces):
            piece = self._pieces[number]
            offset = self._position - (self._ends[number] - _length(piece))
            wanted = min(len(view) - done, _length(piece) - offset)
            read = self._read(piece, offset, wanted)
            view[done : done + len(read)] = read
            done += len(read)
            self._position += len(read)
            if len(read) < wanted:
                break
            number += 1
        return done

    def _read(self, piece: Piece, offset: int, length: int) -> bytes:
        if isinstance(piece, bytes):
            return piece[offset : offset + length]
        try:
            self._file.seek(piece[0] + offset)
            return self._file.read(length)
        except OSError as error:
            self.failed = error
            return b""


def _length(piece: Piece) -> int:
    return len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]


@dataclass(frozen=True)
class Contents:
    """What the bytes of an audio file hold.

    Attributes:
      kind: of the file, for a message, such as "MP3".
      rate: Hz; None where it is not known.
      held: samples of one channel that the bytes hold; None where they are not counted.
      is_exact: a decoder gives just as many samples as are held, whatever stands behind them.
      stated: samples of one channel that the header states; None where it states none that can be true.
      pieces: what the decoder is given instead of the file; None where that is the file itself.
      cut: how the file was cut short, as a clause; None where it was not.
      joined: what stands behind the end of the recording, as a clause; None where that is nothing.
      damaged: what is damaged, as a clause; None where hardly anything is.
      unread: what it is and what to do with it, where it is of a kind that is not decoded.
    """

    kind: str
    rate: int | None = None
    held: int | None = None
    is_exact: bool = False
    stated: int | None = None
    pieces: tuple[Piece, ...] | None = None
    cut: str | None = None
    joined: str | None = None
    damaged: str | None = None
    unread: str | None = None
