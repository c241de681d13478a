"""What is said when kernels are compiled, for the first use of a machine takes its time."""

from __future__ import annotations


class CompilationWarning(UserWarning):
    """Kernels are being compiled: once for an installation, then they lie on disk."""
