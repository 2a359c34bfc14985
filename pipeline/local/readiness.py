"""Checks at the start of a run that what its last stages need is there, so that no training is lost to what is missing.

All of it takes a fraction of a second: Node is started once, a few headers of recordings are read, nothing is written.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from common.errors import UserError
from components.browser_validator.chromium import find_chromium
from components.browser_validator.tfjs import require_validator
from data.files.listing import input_pattern, list_recordings, resolve
from pipeline.configuration.config import Config
from pipeline.store.folders import RunFolders

SAMPLED = 32  # recordings whose headers are read
LEAST_BYTES_A_SECOND = 1000  # of any recording: a header that states more seconds than this allows is false
COPIES = 2  # of windows: as they were cut, and as the network takes them
LEAST_SHARE = 0.25  # of a sample's four bytes, after compression; it is about 0.6


def check_ready(config: Config, folders: RunFolders) -> None:
    """Check Node, the validator, Chromium where it is required, the folders of results, and the free space.

    Raises:
      UserError: something is missing, and how to get it.
    """
    require_validator()
    _check_chromium(config)
    for folder in (folders.pipeline_root, folders.pushed / folders.name, Path(tempfile.gettempdir())):
        _check_writable(folder)
    if not _has_examples(folders):
        _check_space(config, folders)


def _check_chromium(config: Config) -> None:
    found = find_chromium()
    if config.browser_validator.require_webgl and not found.program:
        raise UserError(
            f"browser_validator.require_webgl: a bundle is checked on WebGL before it is pushed, and {found.missing}: "
            "install Chromium, set SWARA_CHROMIUM to one, or push without that check with --set "
            "browser_validator.require_webgl=false"
        )


def _check_writable(folder: Path) -> None:
    there = existing(folder)
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        raise UserError(
            f"{folder}: cannot be written ({there} is read-only, or no folder): make it writable, or choose another "
            "--output (TMPDIR for temporary files)"
        )


def existing(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _has_examples(folders: RunFolders) -> bool:
    """Check whether a run before this one cut windows, which are likely to be used again."""
    return any((folders.pipeline_root / "RecordingExampleGen" / "examples").glob("*/*"))


def _check_space(config: Config, folders: RunFolders) -> None:
    """Raise UserError where not even the least that windows can take is free."""
    seconds = recorded_seconds(_recordings(config, folders))
    needed = least_bytes(seconds, config)
    free = shutil.disk_usage(existing(folders.output)).free
    if free < needed:
        raise UserError(
            f"{folders.output}: {free // 10**6:,} MB free, and windows of about {seconds / 60:.0f} minutes of "
            f"recordings take {needed // 10**6:,} MB or more: free some, choose another --output, or take fewer of them"
        )


def least_bytes(seconds: float, config: Config) -> int:
    """Estimate the least that the windows of recordings take on a disk.

    Args:
      seconds: length of all recordings.
      config: of the run; windows overlap where their hop is shorter than they are.
    """
    overlap = max(1.0, config.audio.window_seconds / config.examples.train_hop_seconds)
    return int(seconds * overlap * config.audio.sample_rate * 4 * COPIES * LEAST_SHARE)


def recorded_seconds(paths: Sequence[Path]) -> float:
    """Estimate the length of recordings from the headers of some and the sizes of all. Damaged ones count nothing."""
    import soundfile

    sampled_bytes, sampled_seconds = 0, 0.0
    for path in paths[:: max(1, len(paths) // SAMPLED)]:
        size = path.stat().st_size
        sampled_bytes += size
        try:
            sampled_seconds += min(soundfile.info(path).duration, size / LEAST_BYTES_A_SECOND)
        except (OSError, RuntimeError, ValueError):  # it is set aside later, with its reason
            continue
    total = sum(path.stat().st_size for path in paths)
    return sampled_seconds * total / sampled_bytes if sampled_bytes else 0.0


def _recordings(config: Config, folders: RunFolders) -> list[Path]:
    """List the recordings that are plain files; none where the listing itself is at fault, which its stage reports."""
    base = str(folders.recordings)
    try:
        names = list_recordings(base, resolve(base, input_pattern(base)).pattern, config.examples.span_window).names
    except UserError:
        return []
    return [path for name in names if (path := folders.recordings / name).is_file()]
