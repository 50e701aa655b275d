"""Reads a rendered page the way a browser's parser does, for the tests."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "br", "wbr", "input", "link", "img"}


class Page(HTMLParser):
    """The elements of a page in order, and its text by element id and by table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self.text = ""
        self.ids: dict[str, str] = {}
        self.tables: list[list[list[str]]] = []
        self._open: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._open.append((tag, attributes.get("id")))
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        opened, _ = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"

    def handle_data(self, data):
        tags = [tag for tag, _ in self._open]
        if tags and tags[-1] in {"style", "script"}:
            self.raw[tags[-1]] = data
            return
        self.text += data
        for _, name in self._open:
            if name:
                self.ids[name] = self.ids.get(name, "") + data
        if "td" in tags or "th" in tags:
            self.tables[-1][-1][-1] += data

    def table_after(self, *header: str) -> list[list[str]]:
        """Return the body rows of the first table whose header row starts with `header`."""
        for table in self.tables:
            rows = [[" ".join(cell.split()) for cell in row] for row in table]
            if rows and rows[0][: len(header)] == list(header):
                return rows[1:]
        raise AssertionError(f"no table is headed {header}")
