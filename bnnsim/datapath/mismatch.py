"""Where a bit of the hardware is not the reference's."""

from __future__ import annotations


class BitMismatchError(Exception):
    """A simulated word differs from the functional executor's: a wrong fold, interleave or order."""

    def __init__(
        self,
        layer: str,
        frame: int,
        row: int,
        column: int,
        channel: int,
        expected: int,
        got: int,
        level: int | None = None,
    ) -> None:
        self.layer, self.frame, self.row, self.column = layer, frame, row, column
        self.channel, self.expected, self.got = channel, expected, got
        self.level = level
        # SimPy makes a failure anew from its arguments.
        super().__init__(layer, frame, row, column, channel, expected, got, level)

    def __str__(self) -> str:
        level = "" if self.level is None else f", level {self.level}"
        return (
            f"layer {self.layer}, frame {self.frame}, "
            f"pixel (row {self.row}, column {self.column}), channel {self.channel}{level}: "
            f"the functional executor has {self.expected}, the simulated hardware {self.got}"
        )
