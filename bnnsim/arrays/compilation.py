"""What is said when kernels are compiled, for the first use of a machine takes its time."""

from __future__ import annotations

import warnings


class CompilationWarning(UserWarning):
    """Kernels are being compiled: once for an installation, then they lie on disk."""


def tell_plainly() -> None:
    """Have this process show the warning as its sentence alone: nobody looks for its line."""
    others = warnings.formatwarning

    def plain(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        line: str | None = None,
    ) -> str:
        is_ours = issubclass(category, CompilationWarning)
        return f"{message}\n" if is_ours else others(message, category, filename, lineno, line)

    warnings.formatwarning = plain
