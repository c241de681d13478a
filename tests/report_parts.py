"""Parts of a report page as text, whether they are packed or not."""

from __future__ import annotations

import base64
import re
import zlib


def inflated(packed: str) -> str:
    """What a page's script makes of a packed part."""
    return zlib.decompress(base64.b64decode(packed)).decode("utf-8")


def body(page: str, figure: str) -> str:
    """The HTML of a figure."""
    start = page.index(f'id="{figure}"')
    opening = re.compile(r'<div class="body"(?: data-packed="([^"]*)")?>').search(page, start)
    assert opening is not None
    return inflated(opening[1]) if opening[1] else page[opening.end() : page.index("</section>", start)]


def part(page: str, element: str) -> str:
    """What a script of the page reads as the element of that name, of a figure's body too."""
    for text in (page, *map(inflated, re.findall(r'<div class="body" data-packed="([^"]*)"', page))):
        pattern = rf'<script type="[^"]*" id="{element}"(?: data-packed="([^"]*)")?>(.*?)</script>'
        found = re.search(pattern, text, re.S)
        if found:
            return inflated(found[1]) if found[1] else found[2]
    raise AssertionError(f"no element {element}")
