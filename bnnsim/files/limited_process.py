"""Reading in a child process with limits, for libraries that a damaged file can hold up without end."""

from __future__ import annotations

import multiprocessing as mp
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar, cast

from bnnsim.spec.bounds import MAX_READER_BYTES, MAX_READER_S
from bnnsim.spec.faults import Fault, InputError, SpecError

try:
    import resource
except ImportError:  # Windows
    HAS_LIMITS = False
else:
    HAS_LIMITS = "fork" in mp.get_all_start_methods() and Path("/proc/self/statm").exists()

Read = TypeVar("Read")


def read_limited(read: Callable[[], Read], place: str, expected: str) -> Read:
    """What ``read()`` returns, from a copy of this process that may use ``MAX_READER_S`` of processor
    time and ``MAX_READER_BYTES`` more than this one.

    The result is pickled. A system without such limits (Windows) reads in this process.

    Raises the :class:`InputError` or :class:`SpecError` that ``read`` raises, and
    an :class:`InputError` where the child comes to its limits; other exceptions end there as well.

    >>> read_limited(lambda: {"layers": 3}, "net.h5", "a whole Keras file")
    {'layers': 3}
    """
    if not HAS_LIMITS:
        return _read_here(read, place, expected)
    context = mp.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_send, args=(theirs, read), daemon=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child touches no thread of ours
        child.start()
    theirs.close()
    try:
        kind, found = ours.recv()
    except EOFError:
        child.join()
        kind, found = "lost", f"one that takes more than {MAX_READER_S} s to read, or ends its reader"
    finally:
        ours.close()
        child.kill()
        child.join()
    if kind == "read":
        return cast(Read, found)
    if kind == "faults":
        raise _error(found)
    raise InputError(place, expected, str(found))


def _read_here(read: Callable[[], Read], place: str, expected: str) -> Read:
    """The same without a child and without limits."""
    try:
        return read()
    except SpecError:
        raise
    except Exception as error:
        raise InputError(place, expected, f"{type(error).__name__}: {error}") from None


def _send(pipe: Connection, read: Callable[[], Any]) -> None:
    """Read within the limits and send (kind, what was read or why not)."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for limit, amount in (
        (resource.RLIMIT_AS, used + MAX_READER_BYTES),
        (resource.RLIMIT_CPU, MAX_READER_S),
        (resource.RLIMIT_CORE, 0),
    ):
        _, highest = resource.getrlimit(limit)
        within = amount if highest == resource.RLIM_INFINITY else min(amount, highest)
        resource.setrlimit(limit, (within, highest))
    try:
        pipe.send(("read", read()))  # pickled before anything is sent: that takes memory too
        return
    except SpecError as error:
        answer: tuple[str, Any] = "faults", error.faults
    except MemoryError:
        answer = "lost", f"one that takes more than {MAX_READER_BYTES >> 20} MiB to read"
    except Exception as error:
        answer = "lost", f"{type(error).__name__}: {error}"
    pipe.send(answer)


def _error(faults: tuple[Fault, ...]) -> SpecError:
    """The error that carries these faults: of a single file, or of a spec's entries."""
    if len(faults) == 1 and not faults[0].line and not faults[0].key:
        return InputError(faults[0].file, faults[0].expected, faults[0].got, faults[0].near)
    return SpecError(faults)
