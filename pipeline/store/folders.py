"""The folders of one instrument."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

METADATA_FILE = "metadata.sqlite"  # in an instrument's folder


@dataclass(frozen=True)
class RunFolders:
    """The folders and files that a run of one instrument reads and writes.

    Attributes:
      recordings: folder of recordings, or of `span-N` folders of them.
      output: folder given by `--output`.
      name: of the instrument.
    """

    recordings: Path
    output: Path
    name: str

    @property
    def pipeline_root(self) -> Path:
        """Folder of the artifacts of every component."""
        return self.output / self.name / "pipeline"

    @property
    def metadata(self) -> Path:
        """SQLite file of the metadata store."""
        return self.output / self.name / METADATA_FILE

    @property
    def report(self) -> Path:
        """HTML file of the report."""
        return self.output / self.name / "report.html"

    @property
    def pushed(self) -> Path:
        """Folder of all published instruments, which a web page loads."""
        return self.output / "pushed"
