"""The report as HTML: one self-contained file for the screen, one document for the page."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from auditor.model.instants import parse_instant
from auditor.model.outcome import FindingOutcome
from auditor.report import words
from auditor.report.changes import changes_of
from auditor.report.fonts import font_face_rules
from auditor.report.hostile_text import show, spell_out
from auditor.report.languages import ENGLISH, translator
from auditor.report.template_files import templates_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.results import DriftRecord, Results
    from auditor.report.view import ReportView


def render_html(view: ReportView, language: str = ENGLISH) -> str:
    """Return the report for the screen: one file, no external request, closed by its own CSP."""
    return "".join(html_pieces(view, language))


def html_pieces(view: ReportView, language: str = ENGLISH) -> Iterator[str]:
    """Yield the same in pieces: that of a large estate is never held as a whole."""
    style = font_face_rules(_font_as_data) + _read("css/base.css") + _read("css/screen.css")
    script = _read("script/findings.js") + _read("script/evidence.js")
    policy = (
        f"default-src 'none'; style-src {_csp_hash(style)}; script-src {_csp_hash(script)}; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )
    # The files are ours and hold no closing tag of their element.
    template = _environment(language).get_template("report.html")
    return template.generate(view=view, policy=policy, style=Markup(style), script=Markup(script))  # noqa: S704


def render_diff_html(before: Results, after: Results, drift: DriftRecord) -> str:
    """Return the page of one comparison: one file, no script, closed by its own CSP."""
    style = font_face_rules(_font_as_data) + _read("css/base.css") + _read("css/screen.css")
    policy = f"default-src 'none'; style-src {_csp_hash(style)}; font-src data:; base-uri 'none'; form-action 'none'"
    return _environment(ENGLISH).get_template("diff.html").render(
        before=before,
        after=after,
        changes=changes_of(drift, after.connections, ()),
        policy=policy,
        style=Markup(style),  # noqa: S704 - our own file
    )


def render_print_html(view: ReportView, language: str = ENGLISH) -> str:
    """Return the same report for the page; its style is given to the PDF renderer separately."""
    return _environment(language).get_template("report.html").render(view=view, policy="", style="", script="")


def render_appendix_html(**facts: Any) -> str:  # noqa: ANN401  # whatever the template names; it refuses what is absent
    """Return one part of the volume of evidence; its style is given to the PDF renderer separately."""
    return _environment(ENGLISH).get_template("appendix.html").render(**facts)


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
