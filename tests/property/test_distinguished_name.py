"""Distinguished names of any content survive being written and read."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.distinguished_name import AttributeValue, DistinguishedName, parse_dn

_TYPES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}|[0-9](\.[0-9]{1,3}){1,3}", fullmatch=True)
_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(' ,+"\\<>;=#\x00\n'), min_size=1, max_size=12
)
_VALUES = _TEXTS | st.binary(min_size=1, max_size=6)
_PARTS = st.builds(AttributeValue, type=_TYPES, value=_VALUES)
_RELATIVE_NAMES = st.lists(_PARTS, min_size=1, max_size=3).map(tuple)
_NAMES = st.lists(_RELATIVE_NAMES, min_size=1, max_size=5).map(
    lambda names: DistinguishedName(relative_names=tuple(names))
)


@settings(deadline=None)
@given(_NAMES)
def test_the_written_form_reads_back(name: DistinguishedName) -> None:
    read = parse_dn(str(name))
    assert read.relative_names == name.relative_names
    assert read == name


@settings(deadline=None)
@given(_NAMES)
def test_the_normalised_form_reads_back_as_an_equal_name(name: DistinguishedName) -> None:
    assert parse_dn(name.normalised) == name
    assert parse_dn(name.normalised).normalised == name.normalised


@settings(deadline=None)
@given(_NAMES)
def test_spaces_around_separators_do_not_count(name: DistinguishedName) -> None:
    spaced = " , ".join(
        " + ".join(str(part).replace("=", " = ", 1) for part in relative) for relative in name.relative_names
    )
    assert parse_dn(f" {spaced} ") == name


@settings(deadline=None)
@given(_NAMES, _NAMES)
def test_what_is_put_below_a_name_is_within_it(above: DistinguishedName, below: DistinguishedName) -> None:
    joined = DistinguishedName(relative_names=below.relative_names + above.relative_names)
    assert joined.is_within(above)
    assert not above.is_within(joined)
    assert (joined == parse_dn(f"{below},{above}")) is True


@settings(deadline=None)
@given(_NAMES)
def test_a_parent_contains_its_child(name: DistinguishedName) -> None:
    parent = name.parent
    assert parent is None or (name.is_within(parent) and parent != name)


@settings(deadline=None)
@given(st.text(st.sampled_from('CN=a ,+\\;"#01<>\x00é'), max_size=30) | st.text(max_size=30))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        name = parse_dn(text)
    except ValueError:
        return
    assert parse_dn(str(name)) == name
