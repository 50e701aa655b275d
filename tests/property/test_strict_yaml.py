"""Files of any content are read or refused, never anything else."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import InvalidInput
from auditor.strict_yaml import load_document

if TYPE_CHECKING:
    import pytest

_FRAGMENTS = st.sampled_from(
    [
        "a",
        "b",
        ": ",
        "- ",
        "\n",
        "  ",
        '"',
        "'",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&a ",
        "*a",
        "!",
        "!!str ",
        "|",
        ">",
        "%",
        "%YAML 1.",
        "%TAG ",
        "@",
        "#",
        "? ",
        "\\",
        "\\x",
        "\\u",
        "\\U",
        "0",
        "9" * 5000,
        "F",
        "---",
        "...",
        "\t",
        "\r",
        "<<",
        "~",
        "é",
        "\u2028",
        "\ufeff",
        "\0",
        "0x",
        "1e999",
        ".",
        "-",
    ]
)
_KEYS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=5).filter(lambda key: key != "<<")
_TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=8)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(content=st.lists(_FRAGMENTS, max_size=14).map("".join) | st.text(max_size=40))
def test_any_text_is_a_document_or_invalid_input(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(InvalidInput):
        json.dumps(load_document(path).content)


@settings(deadline=None)
@given(raw=st.binary(max_size=40))
def test_any_bytes_are_a_document_or_invalid_input(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(raw)
    with contextlib.suppress(InvalidInput):
        load_document(path)


@settings(deadline=None)
@given(
    content=st.dictionaries(_KEYS, _JSON, max_size=4),
    indent=st.sampled_from([None, 1, "\t"]),
    ascii_only=st.booleans(),
)
def test_json_reads_as_json_does(
    tmp_path_factory: pytest.TempPathFactory,
    content: dict[str, object],
    indent: int | str | None,
    ascii_only: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    document = load_document(path)
    assert document.problems == ()
    assert document.content == content
