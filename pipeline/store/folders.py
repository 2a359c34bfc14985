"""The folders of one instrument: what a run reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolders:
    """Where a run of one instrument reads and writes.

    Attributes:
      recordings: folder of recordings, or of `span-N` folders of them.
      output: folder given by `--output`.
      name: the instrument's.
    """

    recordings: Path
    output: Path
    name: str

    @property
    def pipeline_root(self) -> Path:
        """Artifacts of every component."""
        return self.output / self.name / "pipeline"

    @property
    def metadata(self) -> Path:
        """The store of what was run on what."""
        return self.output / self.name / "metadata.sqlite"

    @property
    def report(self) -> Path:
        """The page that shows and plays what came out."""
        return self.output / self.name / "report.html"

    @property
    def pushed(self) -> Path:
        """What a web page loads."""
        return self.output / "pushed"
