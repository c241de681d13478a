"""Every published number beside the simulated one, as a script asks for it."""

from __future__ import annotations

from bnnsim.validation.comparison import Progress, Validation, compare_published


def validate(*, progress: Progress | None = None) -> Validation:
    """Compare every published number with the simulation, and each cost model with what it never saw.

    Args:
        progress: called with (numbers compared, of so many).

    Returns:
        All comparisons, misses included, and the fits with each design left out in turn.

    Raises:
        SpecError: where a shipped publication was changed and cannot be read.

    Example:
        >>> from bnnsim import validate
        >>> found = validate()
        >>> {row["verdict"] for row in found.rows()} <= set(found.counts)
        True
    """
    return compare_published(progress)
