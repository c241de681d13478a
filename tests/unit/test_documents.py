"""What the documents point at exists, and the glossary is in order."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
)
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def dangling(document: Path) -> list[str]:
    """Links of a document to files that are not there."""
    links = LINK.findall(document.read_text(encoding="utf-8"))
    return [link for link in links if not (document.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    assert dangling(ROOT / document) == []


def test_a_dangling_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("")
    text = "[a](there.md#part) [b](gone.md) [c](https://example.org/x) [d](#here) ![e](gone.png)"
    (tmp_path / "page.md").write_text(text)
    assert dangling(tmp_path / "page.md") == ["gone.md", "gone.png"]


def test_glossary_is_alphabetical_and_names_a_module_for_each_term() -> None:
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    terms = [row[0].strip() for row in rows]
    assert len(terms) > 60
    assert terms == sorted(set(terms), key=str.lower)
    for term, _, where in rows:
        found = re.fullmatch(r" \[`(.+\.py)`\]\(\.\./bnnsim/\1\) ", where)
        assert found, f"{term}: {where}"


NAMED = re.compile(r"`([a-z_0-9]+(?:[./][A-Za-z_0-9{},]+)+)`")


def missing_paths(text: str) -> list[str]:
    """Paths (``cost/blocks``) in a text that do not exist in the checkout or in the package.

    ``{a,b}`` in a path stands for both.
    """
    return [
        path
        for path in _named(text)
        if "/" in path and not any((ROOT / folder / path).exists() for folder in ("", "bnnsim"))
    ]


def missing_names(text: str) -> list[str]:
    """Names (``cost.resources.estimate_resources``) in a text that are not in the package.

    A file alone (``build.py``) is in the folder named before it, and is not looked for.
    """
    names = [name for name in _named(text) if "/" not in name and not name.endswith(".py")]
    return [name for name in names if not _resolves(f"bnnsim.{name}")]


def _named(text: str) -> list[str]:
    """Paths and dotted names in a text, each choice of ``{a,b}`` by itself."""
    found = []
    for name in NAMED.findall(text):
        before, _, rest = name.partition("{")
        inside, _, after = rest.partition("}")
        found += [before + choice + after for choice in inside.split(",")] if rest else [name]
    return found


def _resolves(name: str) -> bool:
    """Whether a dotted name is a module, or something in one."""
    module, _, inside = name.rpartition(".")
    try:
        return hasattr(import_module(module), inside) or bool(import_module(name))
    except ImportError:
        return False


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_path_in_a_document_is_there(document: str) -> None:
    assert missing_paths((ROOT / document).read_text(encoding="utf-8")) == []


def test_the_house_is_drawn_as_it_is_built() -> None:
    assert missing_names((ROOT / "DESIGN.md").read_text(encoding="utf-8")) == []


def test_what_is_not_there_is_found() -> None:
    text = "`cost/blocks`, `cost/bricks`, `design.build.build_design`, `design.build.make`, `a/{b,c}.py`"
    assert missing_paths(text) == ["cost/bricks", "a/b.py", "a/c.py"]
    assert missing_names(text) == ["design.build.make"]
