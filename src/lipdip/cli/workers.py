"""The same work on many items, in several processes that end when the process that started them ends."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import TypeVar

import torch

from lipdip.cli.parent import end_with_parent
from lipdip.fit.autosave import Stopped

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def each(work: Callable[[_Item], _Result], items: Sequence[_Item], jobs: int) -> Iterator[tuple[int, _Result]]:
    """Do ``work`` on every item; give each item's number and result as soon as it is done.

    Args:
        work: a function of a module, which other processes can import.
        items: what to do it on; they must be picklable.
        jobs: how many at a time; with 1 all are done in this process, in order.

    Raises:
        Stopped: if work was asked to stop; what runs elsewhere is stopped too.
        BrokenProcessPool: if a worker process was killed.
    """
    if jobs == 1:
        yield from enumerate(map(work, items))
        return
    context = multiprocessing.get_context("spawn")
    pool, waiting = ProcessPoolExecutor(jobs, context, _prepare), list(enumerate(items))[::-1]
    running: dict[Future[_Result | Stopped], int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                number, item = waiting.pop()
                running[pool.submit(_stoppable, work, item)] = number
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                result = future.result()
                if isinstance(result, Stopped):
                    raise result
                yield running.pop(future), result
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()  # a fit then saves its state
        raise
    finally:
        pool.shutdown()


def _prepare() -> None:
    """Prepare a worker: one thread, and it ends when the process that started it has ended."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; a fit listens for itself
    end_with_parent()


def _stoppable(work: Callable[[_Item], _Result], item: _Item) -> _Result | Stopped:
    try:
        return work(item)
    except Stopped as stopped:
        return stopped
