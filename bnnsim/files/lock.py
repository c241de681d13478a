"""Locks that the kernel holds for as long as their process lives, where a system has them."""

from __future__ import annotations

import os

try:
    import fcntl
except ImportError:  # Windows
    HAS_LOCKS = False
else:
    HAS_LOCKS = True


def try_lock(handle: int) -> None:
    """Lock an open file for this process alone. Raises ``OSError`` where another holds it.

    A system without such locks locks a byte far behind the file's end, where it can.
    """
    if HAS_LOCKS:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    try:
        import msvcrt
    except ImportError:
        return
    here = os.lseek(handle, 0, os.SEEK_CUR)
    try:
        os.lseek(handle, _FAR_BYTES, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    finally:
        os.lseek(handle, here, os.SEEK_SET)


_FAR_BYTES = (1 << 31) - 2
