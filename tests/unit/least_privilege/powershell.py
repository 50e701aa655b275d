"""Scripts of PowerShell, taken apart. There is no PowerShell to run them here, so their grammar is what is tested."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tree_sitter_powershell
from tree_sitter import Language, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_PARSER = Parser(Language(tree_sitter_powershell.language()))


def syntax_errors(script: str) -> list[str]:
    """Return the lines that are no PowerShell."""
    found = _nodes(_PARSER.parse(script.encode()).root_node)
    return [f"line {node.start_point.row + 1}" for node in found if node.is_error or node.is_missing]


def commands(script: str) -> set[str]:
    """Return the names of all commands and functions a script calls."""
    found = _nodes(_PARSER.parse(script.encode()).root_node)
    return {node.text.decode() for node in found if node.type == "command_name" and node.text is not None}


def methods(script: str) -> set[str]:
    """Return the names of all methods a script calls."""
    found = _nodes(_PARSER.parse(script.encode()).root_node)
    invoked = (node.child_by_field_name("name") or node for node in found if node.type == "invokation_expression")
    return {member.text.decode() for node in invoked for member in node.children
            if member.type == "member_name" and member.text is not None}


def literals(script: str) -> list[str]:
    """Return the values of all strings in single quotes."""
    found = _nodes(_PARSER.parse(script.encode()).root_node)
    texts = (node.text.decode() for node in found if node.type == "verbatim_string_characters" and node.text)
    return [text[1:-1].replace("''", "'") for text in texts]


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _nodes(child)
