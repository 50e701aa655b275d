from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "acl.md"


def test_the_documented_example_prints_what_the_page_says(capsys):
    page = PAGE.read_text(encoding="utf-8")
    example, printed = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1] for kind in ("python", "text"))
    exec(compile(example, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == printed
