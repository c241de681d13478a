"""Numbers as people read them."""

from __future__ import annotations


def figure_text(value: float, digits: int = 4) -> str:
    """A figure with ``digits`` digits, or all of its whole part, its thousands marked.

    >>> figure_text(3051.757, 5), figure_text(1562500.0, 5), figure_text(0.46)
    ('3,051.8', '1,562,500', '0.46')
    """
    if abs(value) >= 10 ** (digits - 1) or float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.{digits}g}"
