"""A self-contained HTML document: styles and scripts inline, nothing fetched from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from bnnsim.report.figures.figure import Figure

_SCRIPTS = (
    "packing.js",
    "page.js",
    "time_axis.js",
    "timeline.js",
    "occupancy.js",
    "plots.js",
    "engine.js",
)
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


LONGEST_PLAIN_BYTES = 250_000
"""A longer page has its long parts packed."""


def document(title: str, top: str, figures: Sequence[Figure], rest: str = "") -> str:
    """The page: ``top``, the figures, ``rest`` (HTML). Its policy forbids every request.

    It reads without scripts, but where it would be so long that its figures are packed.
    """
    plain = _page(title, top, figures, rest, is_packed=False)
    if len(plain.encode("utf-8")) <= LONGEST_PLAIN_BYTES:
        return plain
    return _page(title, top, figures, rest, is_packed=True)


def _page(title: str, top: str, figures: Sequence[Figure], rest: str, is_packed: bool) -> str:
    links = "".join(f'<a href="#{figure.id}">{escape(figure.title)}</a>' for figure in figures)
    body = "\n".join(figure.html(is_packed) for figure in figures)
    scripts = "\n".join(_asset(name) for name in _SCRIPTS)
    return f"""<!doctype html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="generator" content="bnnsim">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>
{_asset("page.css")}</style>
</head>
<body>
<a class="skip" href="#main">To the answer</a>
<header class="top"><b>bnnsim</b><nav aria-label="Figures">{links}</nav>
<button type="button" id="theme">Dark</button></header>
<main id="main">
{top}
{body}
{rest}
</main>
<script>
{scripts}
bnnsim.start();
</script>
</body>
</html>
"""


def _asset(name: str) -> str:
    return (files("bnnsim.report") / "assets" / name).read_text(encoding="utf-8")
