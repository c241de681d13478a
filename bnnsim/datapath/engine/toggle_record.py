"""What is counted of an array's switching: a record by itself, for the kernels that count need numba."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ArrayToggles:
    """Bits that changed in one array's operand register over ``frames`` frames, and its width."""

    frames: int
    toggles: int
    operand_bits: int
