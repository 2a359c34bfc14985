"""Processes that end with the one that started them, even where that one was killed and could end nobody."""

from __future__ import annotations

import os
import signal
import threading
import time

_POLL_SECONDS = 0.5


def end_with(parent: int) -> None:
    """End this process once its parent has ended, for whatever reason; Ctrl-C is left to the parent.

    Args:
      parent: process id of the one that started this one, which may have ended already.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
