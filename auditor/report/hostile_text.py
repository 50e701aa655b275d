"""Makes text from a directory or tenant safe to show, and shows what it would hide.

A name may hold markup, line breaks, direction overrides or invisible characters that make it look
like another name. Markup is escaped; every character a reader could not see or could be deceived by
is spelled out as `U+202E`.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from auditor.report.fonts import drawable_characters
from auditor.report.visible_text import is_deceptive

if TYPE_CHECKING:
    from collections.abc import Iterator

# Printable ASCII with single spaces inside, which nearly every text is: nothing of it is ever hidden
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
_COMMA = Markup(",<wbr>")


def show(text: object) -> Markup:
    """Return `text` as flat, escaped HTML: unreadable characters as `U+XXXX`, breaks allowed after commas.

    Markup is returned unchanged. Never nests elements: WeasyPrint's layout time is exponential in the
    depth of nested inline elements. Raises TypeError for None, which a template must handle itself.
    """
    if isinstance(text, Markup):
        return text
    if text is None:
        raise TypeError("None has no text; a template must say what its absence means")
    return _shown(str(text))


@lru_cache(maxsize=1 << 14)  # a report says the same of many connections
def _shown(text: str) -> Markup:
    if _PLAIN.fullmatch(text):
        return escape(text).replace(",", _COMMA)
    return Markup("").join(
        Markup('<span class="codepoint">{}</span>').format(_code_points(run))
        if hidden
        else _COMMA.join(escape(piece) for piece in run.split(","))
        for hidden, run in _runs(text)
    )


def spell_out(text: object) -> str:
    """Return `text` as plain text with unreadable characters as `[U+XXXX]`, for attributes and titles."""
    if _PLAIN.fullmatch(str(text)):
        return str(text)
    return "".join(f"[{_code_points(run)}]" if hidden else run for hidden, run in _runs(str(text)))


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Yield (hidden, characters) runs of `text`."""
    places = groupby(range(len(text)), key=lambda place: _is_hidden(text, place))
    for hidden, run in places:
        yield hidden, "".join(text[place] for place in run)


def _is_hidden(text: str, place: int) -> bool:
    character = text[place]
    if character == " ":  # browsers collapse or drop these, so two different names would look alike
        return place in (0, len(text) - 1) or text[place - 1] == " "
    return character not in _visible_characters()


@cache
def _visible_characters() -> frozenset[str]:
    return frozenset(character for character in drawable_characters() if not is_deceptive(character))


def _code_points(run: str) -> str:
    return " ".join(f"U+{ord(character):04X}" for character in run)
