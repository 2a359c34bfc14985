"""The report on ingested recordings, one entry each: printed by a run, kept with its examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from common.errors import UserError
from common.progress import clock

REPORT_FILE = "ingest_report.json"
REPORT_VERSION = 1
LEAST_BEYOND = 0.02  # of a recording beyond the tracker's range is worth a remark
RATES = (16000, 32000, 48000)  # Hz, that `AudioConfig` takes
USABLE = 0.9  # of half a rate; resampling cuts the rest


@dataclass(frozen=True)
class RecordingEntry:
    """The entry of one file.

    Attributes:
      recording: path relative to the folder of recordings.
      verdict: used, set aside, or a duplicate of a recording that is used.
      reason: why it is not used.
      at_seconds: s, position in the file that the reason refers to, if there is one.
      recording_id: content hash of the decoded audio; None where decoding failed.
      seconds: s, length; None where decoding failed.
      usable_seconds: s, length without long silences.
      sample_rate: Hz, of the file.
      channels: of the file.
      train_windows: number of examples for training.
      eval_windows: number of examples for evaluation.
      loud_db: dB, A-weighted loudness of its loud parts.
      low_f0_hz: Hz, 5th percentile of f0 where it is voiced.
      high_f0_hz: Hz, 95th percentile.
      voiced_fraction: share of its sounding frames that are voiced.
      polyphony: share of its sounding time with a second pitch.
      clipped_fraction: share of its samples that are clipped.
      container_seconds: length of what the file holds, by its own frames or bytes; None where they were not counted.
      reach_hz: highest frequency within 60 dB of the strongest one.
      beyond_fraction: share of its sounding frames with a pitch beyond the tracker's range.
      hum_hz: 50 or 60 where mains hum goes through it.
    """

    recording: str
    verdict: Literal["used", "set aside", "duplicate"]
    reason: str | None = None
    at_seconds: float | None = None
    recording_id: str | None = None
    seconds: float | None = None
    usable_seconds: float = 0.0
    sample_rate: int | None = None
    channels: int | None = None
    train_windows: int = 0
    eval_windows: int = 0
    loud_db: float | None = None
    low_f0_hz: float | None = None
    high_f0_hz: float | None = None
    voiced_fraction: float | None = None
    polyphony: float | None = None
    clipped_fraction: float | None = None
    container_seconds: float | None = None
    reach_hz: float | None = None
    beyond_fraction: float | None = None
    hum_hz: int | None = None

    @property
    def explanation(self) -> str:
        """The verdict in words: with the time and the reason where it is not used."""
        if self.reason is None:
            return "; ".join([self.verdict, *self._remarks()])
        at = "" if self.at_seconds is None else f" at {clock(self.at_seconds, tenths=True)}"
        return f"{self.verdict}{at}: {self.reason}"

    def _remarks(self) -> Iterator[str]:
        if (self.beyond_fraction or 0) >= LEAST_BEYOND:
            share = f"{100 * (self.beyond_fraction or 0):.0f} %"
            yield f"{share} of it is left out, beyond the pitch tracker's range (examples.pitch.octaves)"
        if self.hum_hz:
            yield f"mains hum ({self.hum_hz} Hz)"


@dataclass(frozen=True)
class IngestReport:
    """The report on a folder of recordings.

    Attributes:
      recordings: every audio file, by name.
      refusals: why a run cannot go on; empty where it can.
    """

    recordings: tuple[RecordingEntry, ...]
    refusals: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[RecordingEntry, ...]:
        """Entries of the recordings that become examples."""
        return tuple(entry for entry in self.recordings if entry.verdict == "used")

    @property
    def usable_minutes(self) -> float:
        """Minutes of all that is used, without long silences."""
        return sum(entry.usable_seconds for entry in self.used) / 60

    def lower_rate(self, sample_rate: int) -> int | None:
        """Return the lowest rate in Hz that holds all that the used recordings reach; None where it is no lower.

        Args:
          sample_rate: Hz, at which they were measured: what lies above its half is not known.
        """
        reaches = [entry.reach_hz for entry in self.used if entry.reach_hz is not None]
        enough = [rate for rate in RATES if reaches and max(reaches) <= USABLE * rate / 2]
        return min(enough) if enough and min(enough) < sample_rate else None

    @property
    def train_windows(self) -> int:
        """Number of examples for training."""
        return sum(entry.train_windows for entry in self.recordings)

    @property
    def eval_windows(self) -> int:
        """Number of examples for evaluation."""
        return sum(entry.eval_windows for entry in self.recordings)

    @property
    def would_run(self) -> bool:
        """Check whether a run continues with these recordings."""
        return not self.refusals

    def table(self) -> str:
        """Format the report as text: one line a recording, then the summary and the refusals."""
        heads = ("recording", "length", "usable", "train", "eval", "f0 Hz", "reach", "voiced", "verdict")
        rows = [heads, *(_row(entry) for entry in self.recordings)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
        aligned = [
            "  ".join(
                cell.ljust(width) if column in (0, len(heads) - 1) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*aligned, "", self.summary(), *(f"refused: {reason}" for reason in self.refusals)])

    def summary(self) -> str:
        """Summarise in one line how much is used and how much is not."""
        left_out = len(self.recordings) - len(self.used)
        return (
            f"{len(self.used)} of {_count(len(self.recordings), 'recording')} used, {self.usable_minutes:.1f} minutes: "
            f"{_count(self.train_windows, 'training window')} and {_count(self.eval_windows, 'eval window')}"
            + (f"; {left_out} left out" if left_out else "")
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "version": REPORT_VERSION,
            "would_run": self.would_run,
            "refusals": list(self.refusals),
            "usable_minutes": self.usable_minutes,
            "train_windows": self.train_windows,
            "eval_windows": self.eval_windows,
            "recordings": [asdict(entry) for entry in self.recordings],
        }

    def write(self, folder: str | Path) -> None:
        """Write the report into a folder or to a URI."""
        text = json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"
        if "://" not in str(folder):
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / REPORT_FILE).write_text(text, encoding="utf-8")
            return
        from tfx.dsl.io import fileio

        with fileio.open(f"{folder}/{REPORT_FILE}", "w") as file:
            file.write(text)

    @classmethod
    def read(cls, folder: str | Path) -> IngestReport:
        """Read the report of an examples artifact.

        Raises:
          FileNotFoundError: there is none.
        """
        if "://" in str(folder):
            from tfx.dsl.io import fileio

            with fileio.open(f"{folder}/{REPORT_FILE}", "r") as file:
                values = json.loads(file.read())
        else:
            values = json.loads((Path(folder) / REPORT_FILE).read_text(encoding="utf-8"))
        entries = tuple(RecordingEntry(**entry) for entry in values["recordings"])
        return cls(entries, tuple(values["refusals"]))


class IngestRefused(UserError):
    """Raised where the recordings are not enough to train and evaluate on.

    Attributes:
      report: on each of them.
    """

    def __init__(self, report: IngestReport):
        super().__init__("too little usable audio to continue\n" + report.table())
        self.report = report

    def __reduce__(self) -> tuple[type[IngestRefused], tuple[IngestReport]]:
        return type(self), (self.report,)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _row(entry: RecordingEntry) -> tuple[str, ...]:
    used = entry.verdict == "used"
    pitched = entry.low_f0_hz is not None and entry.high_f0_hz is not None
    return (
        entry.recording,
        "" if entry.seconds is None else clock(entry.seconds),
        clock(entry.usable_seconds) if used else "",
        str(entry.train_windows) if used else "",
        str(entry.eval_windows) if used else "",
        f"{entry.low_f0_hz:.0f}-{entry.high_f0_hz:.0f}" if pitched else "",
        "" if entry.reach_hz is None else f"{entry.reach_hz / 1000:.1f} kHz",
        "" if entry.voiced_fraction is None else f"{100 * entry.voiced_fraction:.0f} %",
        entry.explanation,
    )
