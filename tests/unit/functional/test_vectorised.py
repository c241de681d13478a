"""What the compiler made of the kernels."""

from __future__ import annotations

import re

import numpy as np
import pytest
from llvmlite import binding
from numba import njit

from bnnsim.functional.kernels.weighted import LANES, TILE, _count_mismatches

FEATURE = "avx512vpopcntdq"


@pytest.mark.skipif(
    not binding.get_host_cpu_features().get(FEATURE), reason=f"this machine has no {FEATURE}"
)
def test_the_packed_product_counts_several_words_with_one_instruction() -> None:
    # Compiled afresh: what comes from the cache on disk has no assembly to look at.
    kernel = njit(nogil=True)(_count_mismatches.py_func)
    windows, panel = np.zeros((9, TILE), np.uint64), np.zeros((9, LANES), np.uint64)
    kernel(windows, 0, panel, np.zeros((TILE, LANES), np.int64))
    assembly = kernel.inspect_asm(kernel.signatures[0])
    assert len(re.findall(r"vpopcntq\s+[^\n]*%[yz]mm", assembly)) >= 16
