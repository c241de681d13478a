"""Tables as wide as the terminal: names are shortened and columns left out, figures are never cut."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from bnnsim.cli.console import output

Role = Literal["name", "figure", "text", "words"]
LEAST_NAME, LEAST_WORDS = 14, 12
"""Characters of a name, of words, that stay where columns can be left out instead; half where not."""
_PAD = 2


@dataclass(frozen=True)
class Column:
    """A heading and what stands below it: a ``name``, which may be shortened, a ``figure``, which stays
    whole, as does a ``text`` (on the left), or ``words``, which take several lines. Columns above rank 0
    may be left out, the highest first."""

    heading: str
    role: Role = "figure"
    rank: int = 0


@dataclass
class FittedTable:
    """A table that is fitted to the width it is printed at."""

    title: str
    columns: Sequence[Column]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    styles: dict[tuple[int, int], str] = field(default_factory=dict)
    """Styles of cells, by row and column."""

    def add(self, *cells: str, style: str = "") -> None:
        """One more row, all of it in a style."""
        if style:
            self.styles |= {(len(self.rows), k): style for k in range(len(cells))}
        self.rows.append(cells)

    def show(self) -> None:
        """Print it; a last line names the columns that had no room."""
        shown, widths = self.layout(output.width)
        table = Table(
            title=self.title, title_justify="left", box=None, width=sum(widths) + _PAD * len(widths)
        )
        for place, width in zip(shown, widths, strict=True):
            column = self.columns[place]
            table.add_column(
                Text("\n".join(_lines(column.heading, width))),
                justify="right" if column.role == "figure" else "left",
                width=width,
                no_wrap=column.role != "words",
                overflow="fold",
            )
        for i, row in enumerate(self.rows):
            cells = zip(shown, widths, strict=True)
            table.add_row(
                *(Text(self._cell(row[k], k, w), self.styles.get((i, k), "")) for k, w in cells)
            )
        output.print(table, crop=False)
        missing = [c.heading.replace("\n", " ") for k, c in enumerate(self.columns) if k not in shown]
        if missing:
            text = f"no room for {', '.join(missing)}"
            output.print("\n".join(f" {line}" for line in _lines(text, output.width - 2)), markup=False)

    def _cell(self, text: str, place: int, width: int) -> str:
        return shortened_name(text, width) if self.columns[place].role == "name" else text

    def layout(self, width: int) -> tuple[list[int], list[int]]:
        """Which columns are shown at ``width`` characters, and how wide each is."""
        shown = list(range(len(self.columns)))
        while True:
            least = [self._least(k) for k in shown]
            ranks = [self.columns[k].rank for k in shown]
            if sum(least) + _PAD * len(least) <= width or not any(ranks):
                break
            highest = max(ranks)
            del shown[max(i for i, rank in enumerate(ranks) if rank == highest)]
        room = width - sum(least) - _PAD * len(least)
        if room < 0:  # nothing more to leave out: names and words give what they can, figures nothing
            least = [self._least(k, 2) for k in shown]
            room = max(0, width - sum(least) - _PAD * len(least))
        for role in ("name", "figure", "text", "words"):
            for i, k in enumerate(shown):
                if self.columns[k].role == role:
                    more = max(0, min(room, self._natural(k) - least[i]))
                    least[i] += more
                    room -= more
        return shown, least

    def fits(self) -> bool:
        """Whether all columns have room where it is printed."""
        least = [self._least(k) for k in range(len(self.columns))]
        return sum(least) + _PAD * len(least) <= output.width

    def _natural(self, place: int) -> int:
        """The width at which nothing of a column is shortened, its heading's lines included."""
        heading = max(map(cell_len, self.columns[place].heading.split("\n")))
        return max([heading, *(cell_len(row[place]) for row in self.rows)])

    def _least(self, place: int, share: int = 1) -> int:
        """The least width: whole figures, words of headings, a beginning and an end of names."""
        column = self.columns[place]
        longest_word = max(map(cell_len, column.heading.split()), default=1)
        cells = max((cell_len(row[place]) for row in self.rows), default=0)
        match column.role:
            case "figure" | "text":
                return max(longest_word, cells)
            case "name":
                return max(min(longest_word, LEAST_NAME), min(cells, LEAST_NAME // share))
            case "words":
                return max(longest_word, min(cells, LEAST_WORDS // share))


def shortened_name(name: str, width: int) -> str:
    """``name``, or its beginning and end with … between where it is wider."""
    if cell_len(name) <= width:
        return name
    text = Text(name)
    tail = (width - 1) // 2
    head = width - 1 - tail
    begin = text.copy()
    begin.truncate(head)
    end = Text(name[::-1])
    end.truncate(tail)
    return f"{begin.plain}…{end.plain[::-1]}"


def _lines(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` where its words allow it."""
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]
