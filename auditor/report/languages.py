"""The texts of the report in the reader's language.

English is the language of the templates and of `words`; every other language is one catalogue, a file in
`report_templates/languages` that has each English text with its translation. What a record says (titles, sentences
and commands of findings) stays as the record has it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from markupsafe import Markup

from auditor.report.hostile_text import show, spell_out
from auditor.report.template_files import templates_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Translator:
    """Gives texts in one language: called with an English text, and what stands for its `{placeholders}`."""

    language: str
    catalogue: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, text: str, **values: object) -> Markup:
        """Return `text` in this language, safe to show; one without a translation stays as it is."""
        parts = _PLACEHOLDER.split(spell_out(self.catalogue.get(text, text)))
        return Markup("").join(
            show(values[part]) if place % 2 and part in values else Markup.escape(part)
            for place, part in enumerate(parts)
        )


def translator(language: str) -> Translator:
    """Return the translator of one of `LANGUAGES`."""
    if language == ENGLISH:
        return Translator(ENGLISH)
    content = (templates_folder() / "languages" / f"{language}.json").read_text(encoding="utf-8")
    return Translator(language, json.loads(content))
