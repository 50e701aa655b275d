from __future__ import annotations

from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

import auditor
from auditor.report.fonts import FONTS, drawable_characters
from auditor.report.hostile_text import spell_out
from auditor.report.template_files import templates_folder

PACKAGE = Path(auditor.__file__).parent
TEMPLATES = sorted(path.relative_to(templates_folder()) for path in templates_folder().rglob("*.html"))
SOURCES = sorted(path for path in PACKAGE.rglob("*") if path.suffix in {".py", ".yaml"})


def marks() -> set[str]:
    (font,) = (font for font in FONTS if not font.for_text)
    with TTFont(templates_folder() / "fonts" / font.filename, lazy=True) as opened:
        return set(map(chr, opened.getBestCmap()))


@pytest.mark.parametrize("template", TEMPLATES, ids=str)
def test_every_character_of_a_template_is_in_a_bundled_font(template):
    text = (templates_folder() / template).read_text(encoding="utf-8")
    assert set(text) - {"\n"} <= drawable_characters() | marks()


def test_no_text_of_our_own_needs_to_be_spelled_out():
    """Checks, matrices and judgements write sentences that the report shows like any other text."""
    foreign = {}
    for source in SOURCES:
        own_marks = marks() if source == PACKAGE / "report" / "words.py" else set()
        characters = set(source.read_text(encoding="utf-8")) - {"\n", " "} - own_marks
        if strange := {character for character in characters if spell_out(character) != character}:
            foreign[source] = strange
    assert len(SOURCES) > 100
    assert foreign == {}
