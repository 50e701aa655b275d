"""Makes text from a directory or tenant visible in formats that the reader's own fonts draw."""

from __future__ import annotations

import re
import unicodedata

# Controls, formats (bidi and zero-width among them), surrogates, private use, unassigned, line and
# paragraph separators; every space but the common one.
DECEPTIVE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

_SUSPECTS = re.compile(r"[^\x20-\x7e]+")  # outside printable ASCII; most text has none


def is_deceptive(character: str) -> bool:
    """Tell whether a reader could not see `character`, or could be deceived by it. A common space is neither."""
    return character != " " and unicodedata.category(character) in DECEPTIVE_CATEGORIES


def make_visible(text: str, *, keep: str = "\n") -> str:
    """Return `text` with every deceptive character as `[U+202E]`, but for those to `keep`."""
    return _SUSPECTS.sub(lambda run: "".join(_visible(character, keep) for character in run[0]), text)


def _visible(character: str, keep: str) -> str:
    return f"[U+{ord(character):04X}]" if character not in keep and is_deceptive(character) else character
