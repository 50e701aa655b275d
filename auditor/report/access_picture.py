"""Where each step of an access tree stands in its drawing: left to right, one line per leaf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.distinguished_name import parse_dn
from auditor.report.access_tree import EXCESS
from auditor.report.hostile_text import spell_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.report.access_tree import AccessNode, AccessTree
    from auditor.report.words import Word

WIDTH, HEIGHT = 188, 26  # of a step
COLUMN, LINE = 218, 32  # from one step to the next
_CHARACTERS = 30  # of ordinary width that fit a step

_WIDE = frozenset("MWmw@%ЖМШЩЮжмшщюΩΜ—")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step as it is drawn; `x` and `y` are of its upper left corner, `from_x` and `from_y` where its line starts."""

    x: int
    y: float
    label: str
    title: str
    word: Word | None
    is_account: bool
    is_summary: bool
    is_on_the_way_to_excess: bool
    from_x: int | None
    from_y: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A step of the drawing in words: the path to it, what was judged, and the steps it stands for if for several."""

    steps: tuple[str, ...]
    word: Word
    detail: str
    stands_for: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessPicture:
    """A drawing, and the same as lines of text."""

    width: int
    height: int
    box_width: int
    box_height: int
    boxes: tuple[Box, ...]
    tree: AccessTree
    lines: tuple[Line, ...]


def access_picture(tree: AccessTree) -> AccessPicture:
    """Return the drawing of a tree."""
    boxes = tuple(_boxes(tree.drawn, 0, 0, None))
    return AccessPicture(
        width=max(box.x for box in boxes) + WIDTH + 4,
        height=tree.drawn.leaves() * LINE + 4,
        box_width=WIDTH,
        box_height=HEIGHT,
        boxes=boxes,
        tree=tree,
        lines=tuple(_lines(tree.drawn, ())),
    )


def _boxes(node: AccessNode, depth: int, line: int, origin: tuple[int, float] | None) -> Iterator[Box]:
    """Yield a node and what is below it; `line` is the first line of its own, `origin` where its edge starts."""
    x, y = 2 + depth * COLUMN, 2 + (line + (node.leaves() - 1) / 2) * LINE + (LINE - HEIGHT) / 2
    room = _CHARACTERS - (3 if node.word is not None or node.stands_for else 0)
    excess = sum(word is EXCESS for _, word in node.stands_for)
    beyond = f" ({len(node.stands_for)}{f', {excess} excess' if excess else ''})" if node.stands_for else ""
    names = ", ".join(name for name, _ in node.stands_for)
    yield Box(
        x=x,
        y=y,
        label=_fitting(spell_out(_short(node.name)), room - len(beyond)) + beyond,
        title=": ".join(text for text in ("" if node.is_several else node.name, node.detail, names) if text),
        word=EXCESS if excess else node.word,
        is_account=depth == 0,
        is_summary=bool(node.stands_for),
        is_on_the_way_to_excess=node.is_excess,
        from_x=None if origin is None else origin[0],
        from_y=None if origin is None else origin[1],
    )
    for child in node.children:
        yield from _boxes(child, depth + 1, line, (x + WIDTH, y + HEIGHT / 2))
        line += child.leaves()


def _lines(node: AccessNode, before: tuple[str, ...]) -> Iterator[Line]:
    steps = before if node.is_several else (*before, node.name)
    if node.word is not None and not node.is_several:
        yield Line(steps=steps, word=node.word, detail=node.detail, stands_for=())
    for word in dict.fromkeys(word for _, word in node.stands_for):
        names = tuple(name for name, each in node.stands_for if each is word)
        yield Line(steps=steps, word=word, detail="", stands_for=names)
    for child in node.children:
        yield from _lines(child, steps)


def _short(name: str) -> str:
    """Return the name of a distinguished name's own object, which tells most in little room."""
    if not name.upper().startswith(("OU=", "CN=", "DC=")):
        return name
    try:
        own = parse_dn(name).relative_names[0][0].value
    except ValueError:  # a name that only begins like one
        return name
    return own if isinstance(own, str) else name


def _fitting(text: str, characters: int) -> str:
    """Return `text`, cut with an ellipsis where it would leave its box."""
    room = float(characters)
    for place, character in enumerate(text):
        room -= 1.5 if character in _WIDE else 1.2 if character.isupper() else 1
        if room < 0:
            return f"{text[: max(1, place - 1)]}…"
    return text
