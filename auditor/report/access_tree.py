"""What an account reaches, and through what, as a tree of granting paths from the account.

Paths that begin alike share their beginning. Where a tree would have more lines than a person reads, leaves of
one status below one node are drawn as one line that says how many they are; what is excess is kept longest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.model.outcome import FindingOutcome
from auditor.report.words import ENTITLEMENT_STATUSES, OUTCOMES, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.results import ConnectionResult, Finding

MOST_LINES = 36  # drawn leaves: a page of the PDF holds them
DEEPEST = 5  # steps drawn side by side; what lies between the first and the last two of a longer path is one step

EXCESS = ENTITLEMENT_STATUSES["excess"]


@dataclass(slots=True)
class AccessNode:
    """A step of a path. `word` says what was judged of it, None for a step in between.

    Where a drawing is summarised a step stands for others: for its like (`is_several`), or for all beyond it.
    `stands_for` has their names and words.
    """

    name: str
    word: Word | None = None
    detail: str = ""
    stands_for: tuple[tuple[str, Word], ...] = ()
    is_several: bool = False
    children: list[AccessNode] = field(default_factory=list)

    @property
    def is_excess(self) -> bool:
        """Tell whether this step, or one beyond it, is held and not documented."""
        return (
            self.word is EXCESS
            or any(word is EXCESS for _, word in self.stands_for)
            or any(child.is_excess for child in self.children)
        )

    def leaves(self) -> int:
        """Count the lines that the drawing of this node takes."""
        return sum(child.leaves() for child in self.children) or 1

    def walk(self) -> Iterator[AccessNode]:
        """Yield this node and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessTree:
    """The whole tree, the one that is drawn, and how many judged steps the whole has by word."""

    root: AccessNode
    drawn: AccessNode
    counts: tuple[tuple[Word, int], ...]

    @property
    def is_summarised(self) -> bool:
        """Tell whether the drawing stands for more than it shows line by line."""
        return any(node.stands_for for node in self.drawn.walk())


def access_tree(connection: ConnectionResult, findings: tuple[Finding, ...]) -> AccessTree:
    """Return the tree of one connection: entitlements, target OUs, and excess that the findings name."""
    root = AccessNode(connection.principal.name)
    for held in connection.entitlements:
        for path in held.paths or ((root.name, held.name),):
            steps = path if held.name in path[-1] else (*path, held.name)
            _judge(_reach(root, steps[1:]), ENTITLEMENT_STATUSES[held.status], held.scope)
    for requirement in connection.requirements:
        if requirement.plane == "ad_delegation" and requirement.scope:
            for path in requirement.paths or ((root.name,),):
                steps = path[:-1] if path[-1].endswith(f" {requirement.scope}") else path
                _judge(_reach(root, (*steps[1:], requirement.scope)), OUTCOMES[requirement.outcome], requirement.id)
    for finding in findings:
        if finding.outcome is FindingOutcome.EXCESS and finding.connection == connection.id:
            for path in finding.paths:
                _judge(_reach(root, path[1:]), EXCESS, finding.scope)
    counts = Counter(node.word.text for node in root.walk() if node.word is not None)
    words = {node.word.text: node.word for node in root.walk() if node.word is not None}
    return AccessTree(
        root=root,
        drawn=_drawing(_shallow(root)),
        counts=tuple((words[text], count) for text, count in counts.items()),
    )


def _reach(node: AccessNode, steps: tuple[str, ...]) -> AccessNode:
    for step in steps:
        child = next((child for child in node.children if child.name == step), None)
        if child is None:
            child = AccessNode(step)
            node.children.append(child)
        node = child
    return node


def _judge(node: AccessNode, word: Word, detail: str) -> None:
    if node.word is not EXCESS:  # what one check calls excess stays so
        node.word = word
    node.detail = node.detail or detail


def _shallow(node: AccessNode, depth: int = 1) -> AccessNode:
    """Return a copy in which the middle of a path that is too long is one step, excess first."""
    children = [_shallow(child, depth + 1) for child in node.children]
    children.sort(key=lambda child: not child.is_excess)
    if depth == DEEPEST - 2:
        children = [_without_middle(child) for child in children]
    return AccessNode(node.name, node.word, node.detail, children=children)


def _without_middle(node: AccessNode) -> AccessNode:
    """Return a node with at most one step between it and its last ones."""
    ends = [end for child in node.children for end in _ends(child, ())]
    if all(not between for _, between in ends):
        return node
    children = [
        AccessNode(end.name, end.word, f"through {', '.join(between)}" if between else end.detail)
        for end, between in ends
    ]
    return AccessNode(node.name, node.word, node.detail, children=children)


def _ends(node: AccessNode, between: tuple[str, ...]) -> Iterator[tuple[AccessNode, tuple[str, ...]]]:
    if node.word is not None:
        yield AccessNode(node.name, node.word, node.detail), between
    for child in node.children:
        yield from _ends(child, (*between, node.name))


def _drawing(root: AccessNode) -> AccessNode:
    """Summarise a copy until it fits: leaves that are not excess, then excess, then branches from their ends on."""
    for excess_kept, others_kept in ((MOST_LINES, 6), (MOST_LINES, 2), (12, 1), (4, 0)):
        if root.leaves() <= MOST_LINES:
            return root
        for node in root.walk():
            node.children = _joined(node.children, excess_kept, others_kept)
    for depth in (3, 2, 1):
        if root.leaves() <= MOST_LINES:
            return root
        _fold(root, depth)
    root.children = _joined(root.children, MOST_LINES // 2, MOST_LINES // 4)
    return root


def _fold(node: AccessNode, depth: int) -> None:
    """Let every step so many steps from here stand for all beyond it."""
    if depth:
        for child in node.children:
            _fold(child, depth - 1)
        return
    node.stands_for += tuple(pair for child in node.children for pair in _judged(child))
    node.children = []


def _judged(node: AccessNode) -> Iterator[tuple[str, Word]]:
    for each in node.walk():
        if each.word is not None and not each.is_several:
            yield each.name, each.word
        yield from each.stands_for


def _joined(children: list[AccessNode], excess_kept: int, others_kept: int) -> list[AccessNode]:
    """Return children with the leaves of one word beyond the first few as one."""
    kept: list[AccessNode] = []
    seen: Counter[bool] = Counter()
    joined: dict[str, list[AccessNode]] = {}
    for child in children:
        if child.children or (
            not child.is_several and seen[child.is_excess] < (excess_kept if child.is_excess else others_kept)
        ):
            kept.append(child)
            seen[child.is_excess] += not child.children
        else:
            word = EXCESS if child.is_excess else child.word
            joined.setdefault(word.text if word is not None else "", []).append(child)
    for alike in joined.values():
        stands_for = tuple(pair for child in alike for pair in _judged(child))
        if len(alike) == 1 and not alike[0].is_several:
            kept.append(alike[0])
            continue
        word = EXCESS if alike[0].is_excess else alike[0].word
        kept.append(AccessNode("more" if kept else "several", word, stands_for=stands_for, is_several=True))
    return kept
