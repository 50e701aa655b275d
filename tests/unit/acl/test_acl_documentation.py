from __future__ import annotations

import re
from pathlib import Path

import auditor.acl

PAGE = Path(__file__).parents[3] / "docs" / "acl.md"


def test_the_documented_examples_print_what_the_page_says(capsys):
    page = PAGE.read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", page, re.DOTALL)
    assert len(examples) == page.count("```python")
    names: dict[str, object] = {}
    for example, printed in examples:
        exec(compile(example, str(PAGE), "exec"), names)
        assert capsys.readouterr().out == printed


def test_the_page_speaks_of_every_function_and_of_every_module():
    page = PAGE.read_text(encoding="utf-8")
    functions = [name for name in auditor.acl.__all__ if name[0].islower()]
    assert [name for name in functions if f"`{name}`" not in page] == []
    modules = [path.stem for path in Path(auditor.acl.__file__).parent.glob("*.py") if path.stem != "__init__"]
    assert [name for name in modules if f"`{name}`" not in page] == []
