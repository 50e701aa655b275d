from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from sample_results import HOSTILE, sample_results

from auditor.model.results import EntitlementRecord
from auditor.report.access_picture import COLUMN, HEIGHT, LINE, WIDTH, access_picture
from auditor.report.access_tree import DEEPEST, MOST_LINES, access_tree
from auditor.report.html import render_html, render_print_html
from auditor.report.view import build_view


def held(number, *path, status="documented", name=None):
    name = name or f"Role {number:04d}"
    return EntitlementRecord(
        kind="ad_group", name=name, id=f"S-1-{number}", scope="corp", status=status, paths=(("svc", *path, name),)
    )


def connection_with(*entitlements):
    connection = sample_results().connections[0]
    principal = replace(connection.principal, name="svc")
    return replace(connection, principal=principal, entitlements=entitlements, requirements=())


def drawn(*entitlements):
    return access_picture(access_tree(connection_with(*entitlements), ()))


def judged(picture):
    """Return how often each (name, word) is told in the lines."""
    return Counter(
        (name, line.word.text) for line in picture.lines for name in (line.stands_for or (line.steps[-1],))
    )


def estate(size):
    return [
        held(
            number, f"Group {number % 12}", f"Nested {number % 24}",
            status="excess" if number % 9 == 0 else "documented",
        )
        for number in range(size)
    ]


def test_ten_steps_are_drawn_one_by_one():
    picture = drawn(*[held(number, "Group", status="excess" if number == 3 else "documented") for number in range(8)])
    assert [box.label for box in picture.boxes][:3] == ["svc", "Group", "Role 0003"]
    assert len(picture.boxes) == 10
    assert not picture.tree.is_summarised
    assert [box.is_on_the_way_to_excess for box in picture.boxes] == [True] * 3 + [False] * 7


@pytest.mark.parametrize("size", [1, 10, 36, 60, 200, 1500])
def test_however_much_is_held_it_fits_a_page_and_nothing_is_left_out(size):
    entitlements = estate(size)
    picture = drawn(*entitlements)
    assert picture.tree.drawn.leaves() <= MOST_LINES
    assert judged(picture) == Counter(
        (one.name, "Excess" if one.status == "excess" else "Documented") for one in entitlements
    )
    assert {word.text: count for word, count in picture.tree.counts} == Counter(
        "Excess" if one.status == "excess" else "Documented" for one in entitlements
    )


def test_many_side_by_side_are_one_line_and_excess_is_kept_longest():
    picture = drawn(*[held(n) for n in range(200)], *[held(1000 + n, status="excess") for n in range(20)])
    labels = [box.label for box in picture.boxes]
    assert sum(label.startswith("Role 1") for label in labels) == 20
    assert [box.label for box in picture.boxes if box.is_summary] == ["more (194)"]
    assert sum(judged(picture).values()) == 220


def test_what_stands_for_excess_says_so():
    (folded,) = {box.label for box in drawn(*estate(1500)).boxes if box.label.startswith("Nested 0 ")}
    assert re.fullmatch(r"Nested 0 \(\d+, \d+ excess\)", folded)


def test_a_long_path_keeps_its_ends_and_names_what_lies_between():
    picture = drawn(held(1, *(f"Step {number}" for number in range(12))))
    assert max(box.x for box in picture.boxes) <= 2 + (DEEPEST - 1) * COLUMN
    assert picture.boxes[-1].label == "Role 0001"
    (line,) = picture.lines
    for number in range(12):
        assert f"Step {number}" in (*line.steps, line.detail) or f"Step {number}," in line.detail + ","


def test_boxes_do_not_overlap_and_lie_within_the_drawing():
    for size in (1, 30, 200):
        picture = drawn(*estate(size))
        places = sorted((box.x, box.y) for box in picture.boxes)
        for (x, y), (other_x, other_y) in pairwise(places):
            assert x != other_x or other_y - y >= LINE
        assert max(x for x, _ in places) + WIDTH <= picture.width
        assert max(y for _, y in places) + HEIGHT <= picture.height


def test_a_unit_is_labelled_with_its_own_name_commas_included():
    names = {
        r"OU=Legal\, Risk & Audit,OU=Dublin,DC=corp": "Legal, Risk & Audit",
        "OU=Staff,DC=corp": "Staff",
        "CN=read, write": "CN=read, write",
        "Ops, night shift": "Ops, night shift",
    }
    for name, label in names.items():
        assert drawn(held(1, name=name)).boxes[-1].label == label


def test_a_unit_is_reached_through_what_grants_it_and_a_missing_right_is_drawn_too():
    sample = sample_results()
    view = build_view(sample, "0" * 64).connections[0]
    words = {line.steps[-1]: line.word.text for line in view.access.lines}
    for requirement in view.connection.requirements:
        if requirement.plane == "ad_delegation":
            assert words[requirement.scope] == requirement.outcome.value.capitalize()


def test_every_picture_is_sound_xml_with_a_title_and_hostile_names_are_spelled_out():
    sample = sample_results()
    hostile = replace(
        sample.connections[0],
        entitlements=tuple(held(n, text, name=f"{text} {n}") for n, text in enumerate((*HOSTILE, 'a"b', "'", "&amp;"))),
    )
    view = build_view(replace(sample, connections=(hostile,)), "0" * 64)
    for html in (render_html(view), render_print_html(view)):
        pictures = re.findall(r"<svg class=\"access\".*?</svg>", html, re.DOTALL)
        assert len(pictures) == 1
        root = ET.fromstring(pictures[0])
        tags = {element.tag.partition("}")[2] for element in root.iter()}
        assert tags == {"svg", "title", "desc", "path", "g", "rect", "text"}
        assert root[0].tag.endswith("title")
        assert not re.search("[\u202e\u200b\u0007]", pictures[0])
