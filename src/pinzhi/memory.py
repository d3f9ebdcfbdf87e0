"""Memory that was freed, given back to the system."""

import ctypes
import sys
from collections.abc import Iterable

import pyarrow as pa

_libc = ctypes.CDLL(None)
_trim = getattr(_libc, "malloc_trim", None)  # glibc has it; elsewhere nothing is done
_MADV_DONTNEED = 4  # on Linux


def hand_back() -> None:
    """Give freed memory back. Buffers of many sizes leave holes that the C library and Arrow keep for later: 280 MiB after
    400 posts read against five values, none with this between their batches."""
    pa.default_memory_pool().release_unused()
    if _trim is not None:
        _trim(0)


def let_go(mapped: Iterable[pa.Buffer]) -> None:
    """Take mapped files out of this process's memory; the next touch brings a page back, from the cache of the system as long as
    that has it. Linux only, elsewhere nothing is done."""
    if sys.platform == "linux":
        for buffer in mapped:
            if buffer.size:
                _libc.madvise(ctypes.c_void_p(buffer.address), ctypes.c_size_t(buffer.size), _MADV_DONTNEED)
