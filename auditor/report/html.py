"""The report as HTML: one self-contained file for the screen, one document for the page."""

from __future__ import annotations

import base64
import hashlib
from functools import cache, partial
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from auditor.model.instants import parse_instant
from auditor.model.outcome import FindingOutcome
from auditor.processes import here
from auditor.report import words
from auditor.report.changes import changes_of
from auditor.report.fonts import font_face_rules
from auditor.report.hostile_text import show, spell_out
from auditor.report.languages import ENGLISH, translator
from auditor.report.template_files import templates_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.drift import DriftRecord
    from auditor.model.results import Results, Run
    from auditor.processes import Spread
    from auditor.report.finding_view import FindingView
    from auditor.report.view import ConnectionView, ReportView

KEPT_IN_MEMORY = 1 << 24  # bytes of rendered parts; more go to a temporary file
CONNECTION_PARTS = tuple(f"sections/connection{name}.html" for name in ("", "_unread", "_evidence", "_review"))
READINESS_PARTS = (*CONNECTION_PARTS, "sections/connection_readiness.html")
FINDING_PARTS = ("sections/finding_row.html", "sections/finding.html")


def render_html(view: ReportView, language: str = ENGLISH) -> str:
    """Return the report for the screen: one file, no external request, closed by its own CSP."""
    return "".join(html_pieces(view, language))


def html_pieces(view: ReportView, language: str = ENGLISH, spread: Spread = here) -> Iterator[str]:
    """Yield the same in pieces: that of a large estate is never held as a whole."""
    style = font_face_rules(_font_as_data) + _read("css/base.css") + _read("css/screen.css")
    script = _read("script/findings.js") + _read("script/evidence.js")
    policy = (
        f"default-src 'none'; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )
    # The files are ours and hold no closing tag of their element.
    return _report(view, language, spread, policy, Markup(style), Markup(script))  # noqa: S704


def _report(
    view: ReportView, language: str, spread: Spread, policy: str, style: str, script: str
) -> Iterator[str]:
    """Yield the report. What it says of each connection and finding is rendered first, wherever `spread` does it."""
    with SpooledTemporaryFile(KEPT_IN_MEMORY) as stored:
        places: dict[tuple[str, int], tuple[int, int]] = {}  # the parts are those of one view: objects that stay

        def part(template: str, one: object) -> Markup:
            start, size = places[template, id(one)]
            stored.seek(start)
            return Markup(stored.read(size).decode("utf-8"))  # noqa: S704 - rendered below, escaped

        run = view.results.run
        of_connection = READINESS_PARTS if run.kind == "readiness" else CONNECTION_PARTS
        for names, items in ((of_connection, view.connections), (FINDING_PARTS, view.findings)):
            render = partial(_render_parts, names, language, run, bool(script))
            for one, parts in zip(items, spread(render, items), strict=True):
                for name, content in zip(names, parts, strict=True):
                    places[name, id(one)] = (stored.tell(), len(content))
                    stored.write(content)
        template = _environment(language).get_template("report.html")
        yield from template.generate(view=view, part=part, policy=policy, style=style, script=script)


def _render_parts(
    names: tuple[str, ...], language: str, run: Run, has_script: bool, one: ConnectionView | FindingView
) -> list[bytes]:
    """Return what the report says of one connection or finding, section by section."""
    environment = _environment(language)
    return [
        environment.get_template(name).render(one=one, run=run, script=has_script).encode("utf-8") for name in names
    ]


def render_diff_html(before: Results, after: Results, drift: DriftRecord, language: str = ENGLISH) -> str:
    """Return the page of one comparison: one file, no script, closed by its own CSP."""
    style = font_face_rules(_font_as_data) + _read("css/base.css") + _read("css/screen.css")
    policy = f"default-src 'none'; style-src {_csp_hash(style)}; font-src data:; base-uri 'none'; form-action 'none'"
    return _environment(language).get_template("diff.html").render(
        before=before,
        after=after,
        changes=changes_of(drift, after.connections, ()),
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
    )


def render_print_html(view: ReportView, language: str = ENGLISH) -> str:
    """Return the same report for the page; its style is given to the PDF renderer separately."""
    return "".join(_report(view, language, here, policy="", style="", script=""))


def render_appendix_html(language: str, **facts: Any) -> str:  # noqa: ANN401  # whatever the template names; it refuses what is absent
    """Return one part of the volume of evidence; its style is given to the PDF renderer separately."""
    return _environment(language).get_template("appendix.html").render(**facts)


def appendix_style() -> str:
    """Return the style of the volume of evidence, with the fonts as `print_style` has them."""
    return font_face_rules(lambda filename: f"asset:{filename}") + _read("css/appendix.css")


def print_style(language: str = ENGLISH) -> str:
    """Return the style of the page. Fonts have `asset:` addresses, which only the PDF renderer serves."""
    fonts = font_face_rules(lambda filename: f"asset:{filename}")
    style = _read("css/print.css")
    for word in ("Run", "Page", "of"):
        style = style.replace(f"{{{word}}}", translator(language)(word))
    return fonts + _read("css/base.css") + style


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=show,  # whatever a template prints is made safe to show, also when nobody thought of it
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["show"] = show
    environment.filters["spell_out"] = lambda text: Markup.escape(spell_out(text))
    environment.filters["instant"] = _readable_instant
    environment.globals["t"] = translator(language)
    environment.globals["words"] = words
    environment.globals["finding_outcomes"] = tuple(words.FINDING_OUTCOMES[one] for one in FindingOutcome)
    return environment


def _readable_instant(text: str) -> str:
    """Return `2026-11-23T04:05:06.789Z` as `2026-11-23 04:05:06 UTC`; anything else as it is."""
    try:
        return f"{parse_instant(text):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return text


def _read(name: str) -> str:
    return (templates_folder() / name).read_text(encoding="utf-8")


def _font_as_data(filename: str) -> str:
    content = (templates_folder() / "fonts" / filename).read_bytes()
    return "data:font/woff2;base64," + base64.b64encode(content).decode("ascii")


def _csp_hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
