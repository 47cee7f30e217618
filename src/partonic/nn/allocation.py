"""Memory of large tensors that a process keeps instead of giving it back to the system after each of them.

The C library hands large blocks back when they are free. The next tensor of that size is then made of new pages, which
the system fills with zeros one by one, for networks on CPU cores again and again: their intermediate results live for
microseconds.
"""

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""Parameters of `mallopt` in ``malloc.h`` of glibc."""

_LARGEST_BLOCK = 2**30
_MOST_KEPT = 2**31 - 1
_MARGIN = 2**26
"""Bytes that are asked for beyond what is needed, so that the system is asked less often."""


def keep_freed_memory() -> bool:
    """Let this process keep up to 2 GiB of freed memory. It holds what it needed at most, and no more than that.

    Returns:
        whether the C library can be told so: glibc, the one of most Linux systems, can.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    wanted = ((_MMAP_THRESHOLD, _LARGEST_BLOCK), (_TRIM_THRESHOLD, _MOST_KEPT), (_TOP_PAD, _MARGIN))
    told = [library.mallopt(parameter, value) for parameter, value in wanted]
    return all(told)
