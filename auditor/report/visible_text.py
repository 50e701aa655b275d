"""Makes text from a directory or tenant visible in formats that the reader's own fonts draw."""

from __future__ import annotations

import re
import unicodedata

# Controls, formats (bidi and zero-width among them), surrogates, private use, unassigned, line and
# paragraph separators; every space but the common one.
DECEPTIVE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_SUSPECTS = re.compile(r"[^\x20-\x7e]+")  # outside printable ASCII; most text has none


def is_deceptive(character: str) -> bool:
    """Tell whether a reader could not see `character`, or could be deceived by it. A common space is neither."""
    return character != " " and unicodedata.category(character) in DECEPTIVE_CATEGORIES


def make_visible(text: str, *, keep: str = "\n") -> str:
    """Return `text` with every deceptive character as `[U+202E]`, but for those to `keep`."""
    return _SUSPECTS.sub(lambda run: "".join(_visible(character, keep) for character in run[0]), text)


def escape_in_json(text: str) -> str:
    """Return JSON with deceptive characters as escapes: the same value, with nothing in it that cannot be seen."""
    return _BEYOND_ASCII.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    if not is_deceptive(character):
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


def _visible(character: str, keep: str) -> str:
    return f"[U+{ord(character):04X}]" if character not in keep and is_deceptive(character) else character
