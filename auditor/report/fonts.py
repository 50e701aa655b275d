"""The bundled fonts: their style rules and the characters they can draw.

Each file has a family name of its own. Files that share a name and differ only in `unicode-range`
are merged by WeasyPrint into one PDF font, which then draws wrong letters without a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from fontTools.ttLib import TTFont

from auditor.report.template_files import templates_folder

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Font:
    """One file in `report_templates/fonts`. `for_text` is false for the fonts of our own marks."""

    family: str
    weight: int
    filename: str
    for_text: bool = True


FONTS = (
    *(
        Font(f"Sans {script}", weight, f"source-sans-3-{script}-{weight}.woff2")
        for script in ("latin", "latin-ext", "greek", "cyrillic")
        for weight in (400, 600)
    ),
    Font("Mono latin", 400, "source-code-pro-latin-400.woff2"),
    Font("Mono latin-ext", 400, "source-code-pro-latin-ext-400.woff2"),
    Font("Marks", 400, "report-marks-400.woff2", for_text=False),
)


def font_face_rules(address: Callable[[str], str]) -> str:
    """Return one `@font-face` rule per font; `address` turns a file name into its URL."""
    return "".join(
        f'@font-face{{font-family:"{font.family}";font-weight:{font.weight};font-style:normal;'
        f'src:url("{address(font.filename)}") format("woff2")}}\n'
        for font in FONTS
    )


@cache
def drawable_characters() -> frozenset[str]:
    """Return the characters that every stack of text fonts can draw."""
    folder = templates_folder() / "fonts"
    characters: set[str] = set()
    for font in FONTS:
        if font.for_text:
            with TTFont(folder / font.filename, lazy=True) as opened:
                characters.update(map(chr, opened.getBestCmap()))
    return frozenset(characters)
