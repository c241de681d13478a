"""Types of arrays, for annotations: one name for each kind of element."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Int64s: TypeAlias = NDArray[np.int64]
"""Whole numbers of 64 bits: cycles, counts, indices, exact sums."""
Integers: TypeAlias = NDArray[Any]
"""Whole numbers of any width: elements of tensors as they are stored."""
Words: TypeAlias = NDArray[np.uint64]
"""Packed bits, the least significant first."""
Floats: TypeAlias = NDArray[np.float64]
"""Real numbers: fits, objectives, statistics."""
Bools: TypeAlias = NDArray[np.bool_]
"""Claims, one an element."""
