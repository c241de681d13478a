"""What the documents point at exists, and the glossary is in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]
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
