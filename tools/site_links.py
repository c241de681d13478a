"""A hook of mkdocs: documents that lie outside ``docs`` are pages too, and links to files become names.

The site is built from the clone as it is. What a page links to is a page of the site where it is a
document, else its path in the project, as text: the site needs no network.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.reference_pages import PAGES

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = (
    "DESIGN.md", "CHANGELOG.md", "arch_specs/README.md", "workloads/README.md",
    "bnnsim/rtl/library/README.md",
)  # fmt: skip
"""Documents that are pages of the site under their own paths."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Any, config: Any) -> Any:
    """Add the documents outside ``docs``, and the pages that the code writes."""
    from mkdocs.structure.files import File

    for name, page in PAGES.items():
        files.append(File.generated(config, name, content=page()))
    for name in OUTSIDE:
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Point every link where the site has what it means."""
    pages = {file.src_uri for file in files}
    return relinked(markdown, page.file.src_uri, pages)


def relinked(markdown: str, uri: str, pages: set[str]) -> str:
    """A page's text with links to ``pages``; a file that is none is named by its path in the project."""
    folder = "" if uri in OUTSIDE else "docs"
    here = (ROOT / folder / uri).parent

    def instead(link: re.Match[str]) -> str:
        picture, text, target, anchor = link[1], link[2], link[3], link[4] or ""
        path = os.path.relpath(here / target, ROOT).replace(os.sep, "/")
        name = path.removeprefix("docs/") if path.startswith("docs/") else path
        if name in pages:
            at = os.path.relpath(name, os.path.dirname(uri) or ".").replace(os.sep, "/")
            return f"{picture}[{text}]({at}{anchor})"
        is_part = f"/{path}".endswith(f"/{text.strip('`')}")
        return f"`{path}`" if is_part else f"{text} (`{path}`)"

    return LINK.sub(instead, markdown)
