from __future__ import annotations

import unicodedata

import pytest
from fontTools.ttLib import TTFont
from markupsafe import Markup

from auditor.report.fonts import FONTS, drawable_characters
from auditor.report.hostile_text import show, spell_out
from auditor.report.template_files import templates_folder


def boxed(code_points: str) -> str:
    return f'<span class="codepoint">{code_points}</span>'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>&'\"", "&lt;script&gt;&amp;&#39;&#34;"),
        ("Łukasz Ελληνικά Кириллица", "Łukasz Ελληνικά Кириллица"),
        ("a\u202eb", f"a{boxed('U+202E')}b"),
        ("a\u200b\u0007b", f"a{boxed('U+200B U+0007')}b"),
        ("a\nb\tc", f"a{boxed('U+000A')}b{boxed('U+0009')}c"),
        ("Domain\u00a0Admins", f"Domain{boxed('U+00A0')}Admins"),
        ("漢", boxed("U+6F22")),
        ("\U0001f511", boxed("U+1F511")),
        ("\ud800", boxed("U+D800")),
        ("\u00ad", boxed("U+00AD")),
        ("Domain  Admins", f"Domain {boxed('U+0020')}Admins"),
        (" x ", f"{boxed('U+0020')}x{boxed('U+0020')}"),
        ("DC=a,DC=b", "DC=a,<wbr>DC=b"),
        ("✓ Satisfied", f"{boxed('U+2713')} Satisfied"),  # our own marks cannot be imitated by a name
        ("", ""),
        (7, "7"),
    ],
)
def test_text_is_escaped_and_what_it_would_hide_is_spelled_out(text, shown):
    assert show(text) == shown


def test_markup_of_ours_is_not_escaped_again():
    assert show(show("<b>")) == "&lt;b&gt;"
    assert show(Markup("<b>")) == "<b>"


def test_an_absent_value_is_refused_rather_than_printed_as_none():
    with pytest.raises(TypeError):
        show(None)


def test_attributes_get_plain_text():
    assert spell_out('a\u202e"b') == 'a[U+202E]"b'


def test_every_deceptive_character_is_boxed():
    deceptive = [
        character
        for character in map(chr, range(0x110000))
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    ]
    assert all(show(character).startswith('<span class="codepoint">U+') for character in deceptive[::7])


def test_output_is_flat_however_hostile_the_text():
    shown = show("\u202e,<b>" * 50)
    depth = deepest = 0
    for piece in shown.split("<")[1:]:
        depth += -1 if piece.startswith("/") else not piece.startswith("wbr")
        deepest = max(deepest, depth)
    assert (depth, deepest) == (0, 1)


def test_both_weights_of_a_font_draw_the_same_characters():
    folder = templates_folder() / "fonts"
    by_family: dict[str, list[set[int]]] = {}
    for font in FONTS:
        characters = set(TTFont(folder / font.filename).getBestCmap())
        by_family.setdefault(font.family, []).append(characters)
    assert all(characters == alike[0] for alike in by_family.values() for characters in alike)
    assert "Ł" in drawable_characters()


def test_every_font_file_has_a_family_name_and_weight_of_its_own():
    assert len({(font.family, font.weight) for font in FONTS}) == len(FONTS)
    assert {font.filename for font in FONTS} == {
        path.name for path in (templates_folder() / "fonts").glob("*.woff2")
    }
