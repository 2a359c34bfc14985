"""Decodes files of any container, rate, depth and channel count to mono audio at the configured rate, block by block.

What lies below 20 Hz is taken out on the way.

Decoded audio lies in a nameless temporary file, so that an hour takes no more memory than a minute.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from common.errors import UserError
from common.progress import clock
from data.files.contents import CONVERT, inspect
from data.files.high_pass import HighPass
from data.files.mixing import Mix
from data.files.quiet import quiet
from data.files.reading import MARGIN_SECONDS, Contents, Reader, View

Floats = npt.NDArray[np.float32]

BLOCK_SECONDS, BLOCK_SAMPLES = 4.0, 2**22  # decoded at a time: the less of both, samples of all channels
LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000  # Hz; headers that state others are wrong, and would fill memory and disk
UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's value for a length that no header states
FILTER_SAMPLES = 4_096  # that decoders of lossy kinds drop at the beginning and at the end
LONGEST_HOURS = 6.0  # so that a small file that unpacks without end does not fill the disk
HIGHEST_PEAK = 16.0  # times full scale, 24 dB above it; float files with more hold no real audio
HASH_SCALE = 2.0**23  # samples are hashed as 24-bit integers: what any lossless container keeps
FULL_SCALE = 1 - 1.5 / 2**15  # one step of 16 bits below the largest value, and above
FLAT_PEAK = 0.25  # of full scale; quieter tops are flat for want of bits, not for clipping
LEVELS = 1024  # bins of the histogram of flat samples, for each step of full scale
TOP_LEVEL = int(HIGHEST_PEAK * LEVELS)
UNBOUNDED = {"FLOAT", "DOUBLE"}  # codings that full scale does not limit


class Unusable(Exception):
    """A recording that must be set aside.

    Args:
      reason: for the report, without the file's name.
      at_seconds: position of the fault in the recording, if it has one.
      container_seconds: length of what the file holds, where that was counted.
    """

    def __init__(self, reason: str, at_seconds: float | None = None, container_seconds: float | None = None):
        super().__init__(reason, at_seconds, container_seconds)
        self.reason = reason
        self.at_seconds = at_seconds
        self.container_seconds = container_seconds


class Spool:
    """Mono float32 audio in a temporary file without a name: written once, read by position.

    Attributes:
      samples: how many it holds.

    Raises:
      UserError: there is no space for temporary files; so does every method.
    """

    def __init__(self) -> None:
        with _temporary_space():
            self._file = tempfile.TemporaryFile(prefix="swara-audio-")  # noqa: SIM115 - lives as long as the spool
        self.samples = 0

    def append(self, audio: Floats) -> None:
        """Add samples at the end."""
        with _temporary_space():
            self._file.write(np.ascontiguousarray(audio, "<f4").data)
        self.samples += len(audio)

    def pad(self, samples: int) -> None:
        """Add silence at the end until there are `samples`."""
        self.append(np.zeros(max(0, samples - self.samples), np.float32))

    def read(self, start: int, stop: int) -> Floats:
        """Read samples `start` to `stop`, [stop - start]; zeros before the beginning and beyond the end."""
        first, last = max(0, min(start, self.samples)), max(0, min(stop, self.samples))
        with _temporary_space():
            self._file.flush()
        stored = os.pread(self._file.fileno(), 4 * (last - first), 4 * first) if last > first else b""
        audio = np.zeros(stop - start, np.float32)
        audio[first - start : first - start + (last - first)] = np.frombuffer(stored, "<f4")
        return audio

    def close(self) -> None:
        """Free the disk."""
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _temporary_space() -> Iterator[None]:
    """Report a full disk as that, not as a bad recording."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"decoded audio cannot be kept among temporary files ({error.strerror or error}): free some space in "
            f"{os.environ.get('TMPDIR', '/tmp')}, or name another folder in the variable TMPDIR"
        ) from None


@dataclass(frozen=True)
class Source:
    """Facts about a file, before it is mixed and resampled.

    Attributes:
      recording_id: SHA-256, hex, of the decoded mono mix and its rate: the same for every name and lossless container.
      seconds: length.
      container_seconds: length of what the file holds, by its own frames or bytes.
      sample_rate: Hz, of the file.
      channels: of the file.
      peak: largest |sample| of the decoded audio.
      mix_energy: of the mono mix, as a share of what its channels would give if they had nothing to do with each other.
      clipped_fraction: of all samples, those on a flat top or at full scale.
      clipped_at_seconds: position of the first of them.
    """

    recording_id: str
    seconds: float
    container_seconds: float
    sample_rate: int
    channels: int
    peak: float
    mix_energy: float
    clipped_fraction: float
    clipped_at_seconds: float | None


def decode(path: Path, sample_rate: int, spool: Spool) -> Source:
    """Decode a file into `spool`: mixed to mono (mean of the channels), resampled (soxr, HQ), high-passed.

    Args:
      path: wav, flac, ogg, mp3 or aiff; any rate, depth and number of channels.
      sample_rate: Hz, of the decoded audio.
      spool: receives the audio.

    Raises:
      Unusable: empty, truncated, damaged, not audio, of an absurd rate or length, or with samples that are not finite
        numbers.
    """
    if not path.is_file():
        raise Unusable("is not a file, or a link to nowhere")
    if not path.stat().st_size:
        raise Unusable("is empty (0 bytes)")
    with path.open("rb") as file:
        contents = inspect(Reader(file), path.name)
        fault = fault_of(contents)
        try:
            source = os.fsencode(path)  # bytes, since a name need not be Unicode
            view = None if contents.pieces is None else View(file, contents.pieces)
            if contents.unread:
                raise Unusable(contents.unread)
            with quiet(), _Stream(source if view is None else view) as stream:
                if fault:
                    seconds = None if contents.held is None else contents.held / (contents.rate or stream.samplerate)
                    at = stream.frames / stream.samplerate if seconds is None else seconds
                    raise Unusable(fault, at)
                return _decode(stream, sample_rate, spool, contents)
        except Unusable as unusable:
            if contents.held is not None and contents.rate:
                unusable.container_seconds = contents.held / contents.rate
            raise
        except (soundfile.LibsndfileError, soundfile.SoundFileRuntimeError) as error:
            if fault:
                raise Unusable(fault) from None
            advice = f": {CONVERT}" if contents.kind else ""
            raise Unusable(f"is not {contents.kind or 'audio'} that can be read ({_clean(error)}){advice}") from None


def fault_of(contents: Contents) -> str | None:
    """Describe what keeps a file from being read whole, as a clause for a message; None where nothing does."""
    if contents.damaged:
        return f"is damaged: {contents.damaged}"
    if contents.cut:
        return f"is truncated: {contents.cut}"
    if contents.joined:
        return f"holds several recordings, one behind the other ({contents.joined}): cut it into files of their own"
    return None


class _Stream(soundfile.SoundFile):
    """A file that is read once, from its beginning to its end.

    soundfile itself seeks after every read, which fails in a FLAC file whose header gives no length.
    """

    def seekable(self) -> bool:
        """Return False: this file never seeks."""
        return False


def _decode(file: soundfile.SoundFile, sample_rate: int, spool: Spool, contents: Contents) -> Source:
    """Decode an open file, and hold what was decoded against what its bytes hold."""
    rate = file.samplerate
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise Unusable(f"has a sample rate of {rate:,} Hz: {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz can be used")
    resampler = None if rate == sample_rate else soxr.ResampleStream(rate, sample_rate, 1, "float32", "HQ")
    digest = hashlib.sha256(f"{rate} Hz mono".encode())
    clipping, mix, high_pass = Clipping(is_bounded=file.subtype not in UNBOUNDED), Mix(), HighPass(sample_rate)
    frames, peak = 0, 0.0
    for block in _blocks(file, contents.held if contents.is_exact else None):
        if not np.isfinite(block).all():
            bad = int(np.argmin(np.isfinite(block).all(axis=1)))
            raise Unusable("holds samples that are not numbers (NaN or infinite)", (frames + bad) / rate)
        if np.abs(block).max() > HIGHEST_PEAK:
            bad = int(np.argmax((np.abs(block) > HIGHEST_PEAK).any(axis=1)))
            raise Unusable(
                f"has samples beyond {HIGHEST_PEAK:g} times full scale: scale it down", (frames + bad) / rate
            )
        if frames + len(block) > LONGEST_HOURS * 3600 * rate:
            raise Unusable(f"is longer than {LONGEST_HOURS:g} hours: cut it into several recordings")
        mono = mix.add(block)
        digest.update(np.rint(np.clip(mono * HASH_SCALE, -(2.0**31), 2.0**31 - 256)).astype("<i4").data)
        clipping.add(block, frames)
        frames += len(block)
        audio = high_pass(mono if resampler is None else resampler.resample_chunk(mono))
        peak = max(peak, float(np.abs(audio).max(initial=0.0)))
        spool.append(audio)
    if resampler is not None:
        spool.append(high_pass(resampler.resample_chunk(np.zeros(0, np.float32), last=True)))
    _check_length(file, frames, contents)
    if not frames:
        raise Unusable("holds no samples")
    clipped_at = clipping.first_frame()
    return Source(
        recording_id=digest.hexdigest(),
        seconds=frames / rate,
        container_seconds=_container_seconds(file, contents) or frames / rate,
        sample_rate=rate,
        channels=file.channels,
        peak=peak,
        mix_energy=mix.energy(),
        clipped_fraction=clipping.fraction(),
        clipped_at_seconds=None if clipped_at is None else clipped_at / rate,
    )


def _container_seconds(file: soundfile.SoundFile, contents: Contents) -> float | None:
    """Return the length of what an open file holds, by its bytes, or by its header where they were not counted."""
    if contents.held is not None:
        return contents.held / (contents.rate or file.samplerate)
    return None if file.frames == UNKNOWN_FRAMES else file.frames / file.samplerate


def _check_length(file: soundfile.SoundFile, frames: int, contents: Contents) -> None:
    """Check that as much was decoded as the bytes hold, or as the header states where they were not counted.

    Raises:
      Unusable: it was not.
    """
    decoded, expected = frames / file.samplerate, _container_seconds(file, contents)
    if expected is None or decoded >= expected - MARGIN_SECONDS - FILTER_SAMPLES / file.samplerate:
        return
    raise Unusable(
        f"is truncated or damaged: {clock(decoded, tenths=True)} of its {clock(expected, tenths=True)} can be decoded",
        decoded,
    )


def _blocks(file: soundfile.SoundFile, most: int | None) -> Iterator[Floats]:
    """Read blocks [frames, channels] to the end of the file, or as many frames as it holds, whatever stands behind."""
    size, frames = max(1, min(round(BLOCK_SECONDS * file.samplerate), BLOCK_SAMPLES // file.channels)), 0
    while most is None or frames < most:
        try:
            block = file.read(size if most is None else min(size, most - frames), dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, soundfile.SoundFileRuntimeError) as error:
            seconds = frames / file.samplerate
            raise Unusable(f"is truncated or damaged: decoding fails ({_clean(error)})", seconds) from None
        if not len(block):
            return
        frames += len(block)
        yield block


def _clean(error: Exception) -> str:
    """Strip the path that libsndfile repeats from its message."""
    return str(getattr(error, "error_string", error)).strip().rstrip(".")


class Clipping:
    """Counts samples that were cut off: at full scale, or on tops that are flat at the recording's own peak.

    Full scale is a limit of integers and of what was coded from them. Recorders without a gain knob write floats that
    go far beyond it and lose nothing; what is beyond it in such a file is cut off only where its tops are flat.

    Args:
      is_bounded: False for samples that are stored as floats.

    Attributes:
      peak: largest |sample| so far.
    """

    def __init__(self, is_bounded: bool = True) -> None:
        self.peak = 0.0
        self._is_bounded = is_bounded
        self._samples = 0
        self._full_scale = 0
        self._flat = np.zeros(TOP_LEVEL + 1, np.int64)  # flat samples by |level|
        self._first_full_scale: int | None = None
        self._first_flat = np.full(TOP_LEVEL + 1, -1, np.int64)

    def add(self, block: Floats, first_frame: int) -> None:
        """Count a block, [frames, channels], that begins at `first_frame` of the file."""
        level = np.abs(block)
        self.peak = max(self.peak, float(level.max()))
        self._samples += level.size
        if level.max() < FLAT_PEAK or len(block) < 3:
            return
        full = level >= FULL_SCALE
        self._full_scale += int(full.sum())
        if self._first_full_scale is None and full.any():
            self._first_full_scale = first_frame + int(np.argmax(full.any(axis=1)))
        # A top is flat where three samples in a row have one value: no wave of an instrument does that.
        middle = (block[1:-1] == block[:-2]) & (block[1:-1] == block[2:]) & (level[1:-1] >= FLAT_PEAK)
        flat = np.zeros(block.shape, bool)
        for offset in range(3):
            flat[offset : len(block) - 2 + offset] |= middle
        frames = np.nonzero(flat)[0]
        bins = np.minimum(level[flat] * LEVELS, TOP_LEVEL).astype(np.int64)
        self._flat += np.bincount(bins, minlength=TOP_LEVEL + 1)
        for value, first in zip(*np.unique(bins, return_index=True), strict=True):
            if self._first_flat[value] < 0:
                self._first_flat[value] = first_frame + int(frames[first])

    def fraction(self) -> float:
        """Return the share of samples that are clipped."""
        flat = int(self._flat[self._tops()].sum())
        return (max(self._full_scale, flat) if self._has_ceiling() else flat) / max(1, self._samples)

    def first_frame(self) -> int | None:
        """Return the frame of the first clipped sample, None where there is none."""
        flat = self._first_flat[self._tops()]
        found = [int(first) for first in flat if first >= 0]
        if self._first_full_scale is not None and self._has_ceiling():
            found.append(self._first_full_scale)
        return min(found, default=None)

    def _has_ceiling(self) -> bool:
        """Check whether full scale limits the samples: floats beyond it show that it does not."""
        return self._is_bounded or self.peak <= 1.0

    def _tops(self) -> slice:
        return slice(min(TOP_LEVEL, int(0.97 * self.peak * LEVELS)), None)


def duration_seconds(path: Path) -> float:
    """Read the length in s of what a file holds, for progress only: 0 where it is not known or absurd."""
    if not path.is_file():
        return 0.0
    try:
        with path.open("rb") as file:
            contents = inspect(Reader(file), path.name)
        if contents.unread:
            return 0.0
        if contents.held is not None and contents.rate:
            seconds = contents.held / contents.rate
        else:
            with quiet():
                information = soundfile.info(os.fsencode(path))
            seconds = float(information.frames / information.samplerate)
    except (soundfile.LibsndfileError, OSError):
        return 0.0
    return seconds if seconds <= LONGEST_HOURS * 3600 else 0.0
