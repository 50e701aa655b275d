"""The texts of the report in the reader's language.

English is the language of the templates and of `words`; every other language is one catalogue, a file in
`report_templates/languages` that has each English text with its translation, those of the record's sentences too
(see `translation`). Commands, quotes and identifiers stay as the record has them.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from markupsafe import Markup

from auditor.model.message import fill
from auditor.report.hostile_text import show, spell_out
from auditor.report.template_files import templates_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


class Translator:
    """Gives texts in one language: called with an English text, and what stands for its `{placeholders}`."""

    def __init__(self, language: str, catalogue: Mapping[str, str] | None = None) -> None:
        self.language = language
        self._catalogue = catalogue or {}
        self._known = lru_cache(maxsize=1 << 12)(self._translate)  # a report says the same again and again

    def __call__(self, text: str, **values: object) -> Markup:
        """Return `text` in this language, safe to show; one without a translation stays as it is."""
        whole, parts = self._known(text)
        if not values:
            return whole
        return Markup("").join(
            show(values[part]) if place % 2 and part in values else part for place, part in enumerate(parts)
        )

    def _translate(self, text: str) -> tuple[Markup, tuple[Markup, ...]]:
        """Return the translation without values, and its parts: every second one is the name of a placeholder."""
        parts = tuple(Markup.escape(part) for part in _PLACEHOLDER.split(spell_out(self._catalogue.get(text, text))))
        return Markup("").join(parts), parts


def translator(language: str) -> Translator:
    """Return the translator of one of `LANGUAGES`."""
    if language == ENGLISH:
        return Translator(ENGLISH)
    return Translator(language, catalogue(language))


class Texts(Protocol):
    """Gives texts in one language, as they are: escaping is left to whoever writes them."""

    def __call__(self, text: str, /, **values: object) -> str:
        """Return `text` in this language, with `values` for its `{placeholders}`."""


def plain_texts(language: str) -> Texts:
    """Return what gives the texts of one of `LANGUAGES` where no markup is written."""
    known = {} if language == ENGLISH else catalogue(language)

    def text_of(text: str, /, **values: object) -> str:
        told = {name: str(value) for name, value in values.items()}
        return fill(known.get(text, text), told) if told else known.get(text, text)

    return text_of


def catalogue(language: str) -> dict[str, str]:
    """Return the English texts with their translations into one of `LANGUAGES` other than English."""
    content: dict[str, str] = json.loads((templates_folder() / "languages" / f"{language}.json").read_text("utf-8"))
    return content
