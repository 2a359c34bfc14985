"""Checkpoints of a trial whose lease may expire."""

from __future__ import annotations

import threading

from models.training.checkpoints import Checkpoint, Checkpoints


class FencedCheckpoints(Checkpoints):
    """Checkpoints that a worker cannot write once it has lost the trial: another one writes there now.

    Args:
      root: folder or URI of all checkpoints.
      key: of this configuration's.
      lost: set once the trial is another worker's.
    """

    def __init__(self, root: str, key: str, lost: threading.Event):
        super().__init__(root, key)
        self._lost = lost

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint.

        Raises:
          RuntimeError: another worker has the trial.
        """
        if self._lost.is_set():
            raise RuntimeError("this worker's lease expired; another worker has the trial")
        super().save(checkpoint)
