"""The site is built without network and without a warning, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.following import ROOT
from tools.site_links import relinked

HREF = re.compile(r'(?:href|src)="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="the extra bnnsim[docs] is not installed")
    pytest.importorskip("material")
    folder: Path = tmp_path_factory.mktemp("site")
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, **nowhere, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_link_of_the_site_leads_to_a_file_of_it(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    gone = []
    for page in pages:
        if page.name == "404.html":  # its links begin at the server's root
            continue
        for link in HREF.findall(page.read_text(encoding="utf-8")):
            target = link.partition("#")[0].partition("?")[0]
            if target and ":" not in target and not (page.parent / target).exists():
                gone.append(f"{page.relative_to(site)}: {link}")
    assert gone == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loads = re.compile(r'<(?:script|img|link rel="(?:stylesheet|preconnect)")[^>]*(?:src|href)="https?:')
    for page in site.rglob("*.html"):
        assert not loads.search(page.read_text(encoding="utf-8")), page


def test_the_reference_has_every_command_and_key(site: Path) -> None:
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    keys = (site / "reference" / "keys.html").read_text(encoding="utf-8")
    assert all(f"bnnsim {name}" in commands for name in ("simulate", "explore", "check-rtl", "schema"))
    assert all(f"<code>{key}</code>" in keys for key in ("out_fifo_words", "banks", "pad_value"))


def test_links_become_pages_of_the_site_or_paths_of_the_project() -> None:
    pages = {"costs.md", "arch_specs/README.md", "course/index.md"}
    text = "[a](costs.md#power) [b](../arch_specs/README.md) [c](../bnnsim/cost/power.py) [d](https://x.y)"
    expected = "[a](costs.md#power) [b](arch_specs/README.md) c (`bnnsim/cost/power.py`) [d](https://x.y)"
    assert relinked(text, "search.md", pages) == expected
    assert relinked("[a](../docs/costs.md)", "arch_specs/README.md", pages) == "[a](../costs.md)"
    assert relinked("[`cost/x.py`](cost/x.py)", "DESIGN.md", pages) == "`cost/x.py`"
    assert relinked("[`cost/x.py`](../bnnsim/cost/x.py)", "glossary.md", pages) == "`bnnsim/cost/x.py`"
