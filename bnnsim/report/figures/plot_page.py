"""What pages with plotly's pictures are made of, and the library that their folder shares."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any


def library_name() -> str:
    """The file that draws the pictures; its name says which version, so that old pages keep theirs."""
    from plotly.offline import get_plotlyjs_version

    return f"plotly-{get_plotlyjs_version()}.min.js"


def library(is_single_file: bool) -> dict[str, str]:
    """The files that lie beside pages, text by name: none where each page has all inside."""
    from plotly.offline import get_plotlyjs

    return {} if is_single_file else {library_name(): get_plotlyjs()}


def plot_page(
    command: str, title: str, body: str, scripts: Sequence[str], data: Any, is_single_file: bool
) -> str:
    """A page as HTML; ``body`` and ``scripts`` name assets, ``data`` is what the scripts draw.

    With ``is_single_file`` plotly.js is inside, else the page asks for :func:`library` beside it, and for
    nothing else.
    """
    from plotly.offline import get_plotlyjs

    source = f'<script src="{library_name()}"></script>'
    parts = {
        "COMMAND": escape(command),
        "TITLE": escape(title),
        "LIBRARY": library_name(),
        "SOURCES": "" if is_single_file else "'self' file:",
        "STYLE": _asset("plot_page.css"),
        "BODY": _asset(body),
        "SCRIPT": "".join(_asset(name) for name in ("plot_page.js", *scripts)),
        # "</" would end the script element wherever it stands in a name.
        "DATA": json.dumps(data, separators=(",", ":")).replace("</", "<\\/"),
        "PLOTLY": f"<script>{get_plotlyjs()}</script>" if is_single_file else source,
    }
    return re.sub("@@([A-Z]+)@@", lambda mark: parts[mark[1]], _asset("plot_page.html"))


def _asset(name: str) -> str:
    return (files("bnnsim.report") / "assets" / name).read_text(encoding="utf-8")
