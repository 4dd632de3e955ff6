"""Worker processes end when the process that started them has ended, however it was killed."""

import multiprocessing
import os
import threading
import time

_LOOK = 1.0  # seconds between two looks at the parent
_watched: set[int] = set()


def end_with_parent() -> None:
    """End this process soon after its parent, if a pool of workers (multiprocessing's or joblib's) started it.

    A killed parent tells its workers nothing, and joblib's would wait for work for ever. What a fit had saved is kept.
    """
    parent = multiprocessing.parent_process()
    if parent is None or parent.pid is None or parent.pid in _watched:
        return
    _watched.add(parent.pid)
    threading.Thread(target=_watch, args=(parent.pid,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)
