"""What stands under a class's attributes: their docstrings, read from the source when asked for."""

from __future__ import annotations

import ast
import inspect
import textwrap


def class_body(cls: type) -> ast.ClassDef:
    """A class as its source has it."""
    (body,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(body, ast.ClassDef)
    return body


def attribute_docstrings(body: ast.ClassDef) -> dict[str, str]:
    """The text under each annotated attribute that a class's body has, by name."""
    said = {}
    for statement, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(after, ast.Expr):
            said[ast.unparse(statement.target)] = inspect.cleandoc(ast.literal_eval(after.value))
    return said
