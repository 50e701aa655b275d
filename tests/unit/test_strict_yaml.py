"""Files as plain values: every problem with its line, its place and a cure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from auditor.errors import InvalidInput, Problem
from auditor.model.connection import Cloud
from auditor.strict_yaml import Document, load_document, refusal, validate
from auditor.strict_yaml.document import LARGEST_SIZE, dotted

if TYPE_CHECKING:
    from pathlib import Path


def _write(folder: Path, content: str | bytes) -> Path:
    path = folder / "file.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _load(folder: Path, content: str | bytes) -> Document:
    return load_document(_write(folder, content))


def _refused(folder: Path, content: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as refused:
        _load(folder, content)
    return refused.value.problems


def test_values_are_those_of_the_yaml_1_2_core_schema(tmp_path: Path) -> None:
    text = (
        "a: 1\nb: 0x1F\nc: 0o17\nd: -1.5e3\ne: true\nf: ~\ng:\n"
        "h: no\ni: 2026-01-01\nj: 1_000\nk: '1'\nl: 0123\nm: 12:30\n"
    )
    assert _load(tmp_path, text).content == {
        "a": 1,
        "b": 31,
        "c": 15,
        "d": -1500.0,
        "e": True,
        "f": None,
        "g": None,
        "h": "no",
        "i": "2026-01-01",
        "j": "1_000",
        "k": "1",
        "l": 123,
        "m": "12:30",
    }


def test_json_is_read_with_its_tabs_and_escapes(tmp_path: Path) -> None:
    text = '{\n\t"a": "\\ud83d\\ude00\\/",\n\t"b": [1, null, {"c": false}]\n}\n'
    document = _load(tmp_path, text)
    assert document.content == json.loads(text)
    assert document.line(("b", 2, "c")) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"a: 1\r\nb: [x]\r\n",
        b"\xef\xbb\xbfa: 1\nb: [x]\n",
        b"\xef\xbb\xbfa: 1\r\nb: [x]\r\n",
        b"# comment\n---\na: 1\nb:\n- x\n",
    ],
    ids=["windows line endings", "byte order mark", "both", "block style"],
)
def test_spellings_of_one_file_are_equal(tmp_path: Path, content: bytes) -> None:
    document = _load(tmp_path, content)
    assert document.content == {"a": 1, "b": ["x"]}
    assert document.problems == ()


def test_lines_are_those_of_the_keys(tmp_path: Path) -> None:
    document = _load(tmp_path, "a:\n  - b:\n      c: 1\n  -\n    b: 2\n")
    assert [
        document.line(place) for place in [(), ("a",), ("a", 0, "b"), ("a", 0, "b", "c"), ("a", 1, "b")]
    ] == [
        1,
        1,
        2,
        3,
        5,
    ]
    assert document.line(("a", 0, "absent", 7)) == 2


def test_an_alias_stands_for_its_anchor(tmp_path: Path) -> None:
    document = _load(tmp_path, "a: &ous [x, y]\nb: *ous\n")
    assert document.content == {"a": ["x", "y"], "b": ["x", "y"]}
    assert document.problems == ()
    assert document.line(("b", 1)) == 2


@pytest.mark.parametrize(
    ("content", "line", "message", "cure"),
    [
        ("", 1, "is empty", "write the file"),
        ("# only a comment\n", 1, "is empty", "write the file"),
        ("---\n", 1, "is empty", "write the file"),
        ("- a\n", 1, "top level, not a list", "key: value"),
        ("hello\n", 1, "top level, not text", "key: value"),
        ("a: 1\n---\nb: 2\n", 2, "several documents", "keep one document"),
        ("a: 1\nb: [1, 2\n", 3, "not valid YAML", "brackets"),
        ("a: 1\nb: 'open\nc: 2\n", 2, "not valid YAML", "quotes"),
        ("a:\n\tb: 1\n", 2, "not valid YAML", "indent with spaces"),
        ('a: 1\nb: "CORP\\svc"\n', 2, "unknown escape character", "single quotes"),
        ("a: 1\npassword: prompt:\n", 2, "mapping values", "in quotes"),
        ("a: 1\nb: @x\n", 2, "not valid YAML", "quotes"),
        ('a: 1\nb: "\\UFFFFFFFF"\n', 2, "impossible", "quotes"),
        ("%YAML 1.0\n---\na: 1\n", 1, "impossible", "check"),
        ("a: 1\nb: x\0y\n", 2, "control character U+0000", "UTF-8"),
        ("a: 1\nb: \x1b[31m\n", 2, "control character U+001B", "UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "UTF-16", "UTF-8"),
        ("a: 1\n".encode("utf-16-le"), 1, "control character U+0000", "UTF-8"),
        ("a: 1\nb: é\n".encode("latin-1"), 2, "byte 0xe9", "UTF-8"),
        (b"a: " + b"[" * 100_000, 1, "nested deeper than 64", "brackets"),
        (b"a: &a [" + b"x," * 20_000 + b"]\nb: [" + b"*a," * 20_000 + b"]\n", 2, "grows beyond", "aliases"),
    ],
)
def test_an_unusable_file_is_refused(
    tmp_path: Path, content: str | bytes, line: int, message: str, cure: str
) -> None:
    (problem,) = _refused(tmp_path, content)
    assert problem.file == str(tmp_path / "file.yaml")
    assert problem.line == line
    assert message in problem.message
    assert cure in problem.cure


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not exist -> check the path"):
        load_document(tmp_path / "absent.yaml")
    with pytest.raises(InvalidInput, match="is a directory -> give the path of the file in it"):
        load_document(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be read: Not a directory -> give the account"):
        load_document(_write(tmp_path, "a: 1") / "below")


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(LARGEST_SIZE + 1)
    with pytest.raises(InvalidInput, match="is larger than"):
        load_document(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("a: 1\nb: 2\na: 3\nb: 4\n", [(3, "a", "on lines 1 and 3"), (4, "b", "on lines 2 and 4")]),
        ("a: {x: 1, x: 2}\n", [(1, "a.x", "on lines 1 and 1")]),
        (
            "a:\n  1: x\n  null: y\n  [b]: z\n",
            [(2, "a", "a number"), (3, "a", "empty"), (4, "a", "no plain text")],
        ),
        ("a: &k x\n*k : y\n", [(2, "", "no plain text")]),
        ("a: &m {x: 1}\nb:\n  <<: *m\n", [(3, "b", "merge key")]),
        ("a: !!python/object:os.system x\nb: !x [1]\n", [(1, "a", "tag"), (2, "b", "tag")]),
        ("a: &a {b: *a}\n", [(1, "a.b", "alias inside an anchored value")]),
        ("a: *nowhere\n", [(1, "a", "anchor &nowhere")]),
        ("%YAML 1.1\n---\na: yes\n", [(1, "", "another version")]),
        ('a: "x\\0y"\n', [(1, "a", "U+0000")]),
        ('a: ["x", "\\ud83d"]\n', [(1, "a[1]", "half of a surrogate pair")]),
    ],
)
def test_problems_that_leave_something_to_go_on_with(
    tmp_path: Path, content: str, found: list[tuple[int, str, str]]
) -> None:
    problems = _load(tmp_path, content).problems
    assert [(problem.line, problem.place) for problem in problems] == [
        (line, place) for line, place, _ in found
    ]
    for problem, (_, _, message) in zip(problems, found, strict=True):
        assert message in problem.message
        assert problem.cure


def test_control_characters_go_no_further(tmp_path: Path) -> None:
    document = _load(tmp_path, 'a: "x\\0\\ty\\n"\n')
    assert document.content == {"a": "x\ufffd\ty\n"}
    assert len(document.problems) == 1


def test_the_first_of_two_equal_keys_is_kept(tmp_path: Path) -> None:
    assert _load(tmp_path, "a: 1\na: 2\n").content == {"a": 1}


def test_a_bomb_of_aliases_stays_small(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 40)]
    document = _load(tmp_path, "\n".join(lines))
    assert len(document.problems) == 39 * 9
    assert len(json.dumps(document.content)) < 10_000


def test_problems_before_a_syntax_error_are_kept(tmp_path: Path) -> None:
    first, second = _refused(tmp_path, "a: 1\na: 2\nb: [\n")
    assert "stands twice" in first.message
    assert "not valid YAML" in second.message


def test_a_syntax_error_quotes_nothing_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        _load(tmp_path, "password: hunter2 'x': y\n")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_keys_that_could_mislead_a_terminal_are_quoted() -> None:
    assert dotted(("connections", 2, "port")) == "connections[2].port"
    assert dotted(("a", "x\x1b[31m", 0)) == "a.'x\\x1b[31m'[0]"


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: Annotated[int, Field(ge=1, le=9)]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Circle:
    __pydantic_config__ = ConfigDict(extra="forbid")
    type: Literal["circle"]
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    __pydantic_config__ = ConfigDict(extra="forbid")
    type: Literal["group"]
    parts: tuple[_Circle | None, ...]


class _Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    inner: _Inner | None = None
    inners: list[_Inner] = []
    by_name: dict[str, _Inner] = {}
    cloud: Cloud = Cloud.GLOBAL
    on: bool = False
    shape: Annotated[_Circle | _Group, Field(discriminator="type")] | None = None


def _problems(folder: Path, content: str, shape: type[Any] = _Outer) -> list[Problem]:
    instance, problems = validate(_load(folder, content), shape)
    assert instance is None
    return problems


def test_a_fitting_document_becomes_its_shape(tmp_path: Path) -> None:
    text = "title: x\ninner: {size: 3, names: [a]}\ncloud: dod\nshape: {type: circle, radius: 1}\n"
    instance, problems = validate(_load(tmp_path, text), _Outer)
    assert problems == []
    assert instance is not None
    assert instance.inner == _Inner(size=3, names=("a",))
    assert instance.cloud is Cloud.DOD
    assert instance.shape == _Circle(type="circle", radius=1.0)


@pytest.mark.parametrize(
    ("content", "line", "place", "message", "cure"),
    [
        ("inners: []\n", 1, "title", "is missing", "add it"),
        ("title: 5\n", 1, "title", "must be text, but is a number", "quotes"),
        ("title:\n", 1, "title", "must be text, but is empty", "quotes"),
        ("title: x\non: 'true'\n", 2, "on", "must be true or false, but is text", "without quotes"),
        (
            "title: x\ninner:\n  size: '3'\n",
            3,
            "inner.size",
            "must be a whole number, but is text",
            "without quotes",
        ),
        ("title: x\ninner:\n  size: true\n", 3, "inner.size", "but is true or false", "without quotes"),
        ("title: x\ninner:\n  size: 0\n", 3, "inner.size", "must be at least 1", "range"),
        ("title: x\ninner:\n  size: 10\n", 3, "inner.size", "must be at most 9", "range"),
        ("title: x\ninner: [1]\n", 2, "inner", "must be a mapping of keys, but is a list", "key: value"),
        ("title: x\ninners: {}\n", 2, "inners", "must be a list, but is a mapping", "brackets"),
        (
            "title: x\ninners:\n- size: 1\n- sise: 1\n  size: 1\n",
            4,
            "inners[1].sise",
            "not a key",
            "did you mean 'size'?",
        ),
        ("title: x\nby_name:\n  a: {}\n", 3, "by_name.a.size", "is missing", "add it"),
        (
            "title: x\ncloud: golbal\n",
            2,
            "cloud",
            "must be one of global, gcc_high",
            "did you mean 'global'?",
        ),
        (
            "title: x\nshape: {type: cirle}\n",
            2,
            "shape.type",
            "one of circle, group",
            "did you mean 'circle'?",
        ),
        ("title: x\nshape: {}\n", 2, "shape.type", "is missing or empty", "write one of circle, group"),
        (
            "title: x\nshape: {type: circle, radius: 1, radios: 2}\n",
            2,
            "shape.radios",
            "not a key",
            "known keys are radius, type",
        ),
        (
            "title: x\nshape:\n  type: group\n  parts:\n  - type: circle\n",
            5,
            "shape.parts[0].radius",
            "is missing",
            "add",
        ),
        (
            "tilte: x\ntitle: x\n",
            1,
            "tilte",
            "not a key",
            "'title'? known keys are by_name, cloud, inner, inners, on, shape, title",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_plain_words(
    tmp_path: Path, content: str, line: int, place: str, message: str, cure: str
) -> None:
    (problem,) = _problems(tmp_path, content)
    assert (problem.line, problem.place) == (line, place)
    assert message in problem.message
    assert cure in problem.cure


def test_all_problems_of_document_and_shape_come_together(tmp_path: Path) -> None:
    problems = _problems(tmp_path, "title: 1\ntitle: x\non: 3\ncolour: red\n")
    assert sorted(problem.place for problem in problems) == ["colour", "on", "title", "title"]


def test_problems_of_the_document_are_returned_even_when_it_fits(tmp_path: Path) -> None:
    instance, problems = validate(_load(tmp_path, "title: x\ntitle: y\n"), _Outer)
    assert instance is not None
    assert instance.title == "x"
    assert len(problems) == 1


def test_a_part_of_a_document_can_be_validated(tmp_path: Path) -> None:
    document = _load(tmp_path, "list:\n- size: 1\n- size: x\n")
    assert validate(document, _Inner, place=("list", 0)) == (_Inner(size=1), [])
    _, (problem,) = validate(document, _Inner, place=("list", 1))
    assert (problem.line, problem.place) == (3, "list[1].size")


def test_messages_repeat_no_value(tmp_path: Path) -> None:
    problems = _problems(
        tmp_path, "title: [hunter2]\non: hunter2\ncloud: hunter2\nbad: hunter2\ninner: hunter2\n"
    )
    assert len(problems) == 5
    assert not any("hunter2" in str(problem) for problem in problems)


def test_a_validator_of_a_shape_speaks_for_itself(tmp_path: Path) -> None:
    def refuse(value: str) -> str:
        raise refusal(f"{value} has {{braces}} and {{cure}}", "mend it")

    from pydantic import AfterValidator  # noqa: PLC0415

    class Shape(BaseModel):
        key: Annotated[str, AfterValidator(refuse)]

    (problem,) = _problems(tmp_path, "key: x\n", Shape)
    assert (problem.message, problem.cure) == ("x has {braces} and {cure}", "mend it")
