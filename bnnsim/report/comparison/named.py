"""Designs compared by their names, and written as a page."""

from __future__ import annotations

from pathlib import Path

from bnnsim.files.whole import check_target, save_text
from bnnsim.report.comparison.comparison import ComparisonInfo, comparison_info, parse_designs


def compare(
    *designs: str, workload: str | None = None, out: str | Path | None = None
) -> ComparisonInfo:
    """Compare designs: what differs in their specs, and what that does to each number.

    Args:
        designs: two or more: ``ARCHITECTURE:WORKLOAD``, or an architecture alone with ``workload``.
        workload: the network of all designs that name none.
        out: the page to write; None: none.

    Returns:
        The differences, and each number of every design with how sure the ranking is.

    Raises:
        InputError: for fewer than two designs, one without a network, and a page that cannot be written.
        SpecError: what the user gave cannot be used; every fault at once.

    Example:
        >>> from bnnsim import compare
        >>> info = compare("pynq-cnv", "redkar", workload="cnv", out="two.html")
        >>> [row["pynq-cnv"] for row in info.rows() if row["unit"] == "frames/s"]
        [3051.7578125]
    """
    check_target(out)
    info = comparison_info(parse_designs(designs, workload))
    if out is not None:
        from bnnsim.report.comparison.page import comparison_html

        save_text(out, comparison_html(info))
    return info
