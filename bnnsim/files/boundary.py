"""The one boundary behind which foreign files are read: whatever a library throws is the file's fault."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bnnsim.spec.faults import InputError, SpecError

_LONGEST_REASON = 200


@contextmanager
def unremarked() -> Iterator[None]:
    """Keeps what numpy and other libraries remark on odd numbers and old formats off stderr."""
    with warnings.catch_warnings():
        for kind in (RuntimeWarning, DeprecationWarning, FutureWarning, UserWarning):
            warnings.simplefilter("ignore", kind)
        yield


@contextmanager
def foreign_file(path: str | Path, expected: str, got: str = "") -> Iterator[None]:
    """Everything that reads a file of another tool stands inside ``with foreign_file(...)``.

    A fault that is worded already passes through. Every other exception (of the libraries, of numpy,
    of arithmetic on a setting that is no number) becomes one that names the file. ``expected`` says
    what the file should be (``a whole ONNX file``), ``got`` what is known of it (its size).

    Raises :class:`InputError`; its cause is what was thrown.

    Example:
        >>> with foreign_file("net.h5", "a whole Keras file"):
        ...     raise KeyError("layers")
        Traceback (most recent call last):
        ...
        bnnsim.spec.faults.InputError: net.h5: expected a whole Keras file, got KeyError: 'layers'
    """
    try:
        with unremarked():
            yield
    except SpecError:
        raise
    except MemoryError as error:
        raise InputError(str(path), f"{expected} that fits into memory", got or "more") from error
    except Exception as error:  # what the libraries raise has no common class
        reason = reason_of(error)
        raise InputError(str(path), expected, f"{got} ({reason})" if got else reason) from error


def reason_of(error: BaseException) -> str:
    """An exception as a part of one line: its kind where its text alone says too little."""
    text = (error.strerror if isinstance(error, OSError) else "") or str(error)
    lines = text.strip().splitlines()
    text = lines[0].strip() if lines else ""
    text = re.sub(r"<(?:\w+\.)*(\w+) object at 0x[0-9a-f]+>", r"\1", text)  # another at each run
    kind = type(error).__name__
    if not text:
        return kind
    if isinstance(error, LookupError | AttributeError | AssertionError | TypeError):
        text = f"{kind}: {text}"
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."
