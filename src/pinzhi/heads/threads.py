"""Two pieces of work at once, each on a core of its own: the small matrices of one draft gain less from two threads than that."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

One = TypeVar("One")
Other = TypeVar("Other")
_lock = threading.Lock()
_inside = 0  # how many are at it, for torch's number of threads is one for all
_before = 1


@contextmanager
def _one_thread_each() -> Iterator[None]:
    global _inside, _before
    with _lock:
        if _inside == 0:
            _before = torch.get_num_threads()
            torch.set_num_threads(1)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                torch.set_num_threads(_before)


def side_by_side(one: Callable[[], One], other: Callable[[], Other]) -> tuple[One, Other]:
    """What both return; torch works with one thread for each of them meanwhile."""
    with _one_thread_each(), ThreadPoolExecutor(1) as pool:
        told = pool.submit(other)
        return one(), told.result()
