"""Write anew what the documents' commands print: ``python -m tests.documents [--long] FILE.md ...``.

With ``--printed COMMAND`` nothing is run or written: what stdin says has to be what the documents say of
that command, else the exit code is 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.documents.blocks import Step, is_as_said, shortened_like, steps
from tests.documents.following import ROOT, follow


def refresh(document: Path, with_long: bool) -> list[str]:
    """Follow a document and write what is printed now; the commands whose output changed."""
    text = document.read_text(encoding="utf-8")
    chosen = [step for step in steps(text) if with_long or not step.is_long]
    changed: list[tuple[Step, str]] = []

    def compare(step: Step, printed: str) -> None:
        if not is_as_said(step.printed, printed):
            changed.append((step, shortened_like(step.printed, printed)))

    with tempfile.TemporaryDirectory() as folder:
        follow(chosen, Path(folder) / "reader", compare)
    for step, printed in reversed(changed):
        text = text[: step.start] + printed + text[step.end :]
    document.write_text(text, encoding="utf-8")
    return [step.command for step, _ in changed]


def is_said(document: Path, command: str, printed: str) -> bool:
    """Whether a document has a command and says of it what was printed."""
    found = [
        step for step in steps(document.read_text(encoding="utf-8")) if step.command == command
    ]
    return bool(found) and all(is_as_said(step.printed, printed) for step in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("documents", nargs="+", metavar="FILE.md")
    parser.add_argument("--long", action="store_true", help="blocks that take minutes too")
    parser.add_argument(
        "--printed", metavar="COMMAND", help="hold stdin against what is said of a command"
    )
    asked = parser.parse_args()
    if asked.printed is not None:
        printed = sys.stdin.read()
        if not all(is_said(ROOT / name, asked.printed, printed) for name in asked.documents):
            sys.exit(f"{', '.join(asked.documents)}: not what {asked.printed} printed:\n{printed}")
        return
    for name in asked.documents:
        for command in refresh(ROOT / name, asked.long):
            print(f"{name}: {command}")


if __name__ == "__main__":
    main()
