"""How ``--help`` lists commands: in sections, each with its whole sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import typer.core


class WholeSentences(typer.core.TyperGroup):
    """A group whose help, and what shells show of it, cuts no command's sentence."""

    sections: ClassVar[Mapping[str, Sequence[str]]] = {}
    """Titles with the commands under them; without any all of them stand under one."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        command = super().get_command(ctx, cmd_name)
        if command is not None and not command.short_help:
            command.short_help = _sentence(command.help)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title, names in (self.sections or {"Commands": self.list_commands(ctx)}).items():
            known = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name, _sentence(command.help)) for name, command in known if command is not None]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _sentence(text: str | None) -> str:
    """The first paragraph of a command's description, as one line."""
    return " ".join((text or "").split("\n\n")[0].split())
