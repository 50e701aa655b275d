"""What a person could change to bring a connection to what is documented, in the order in which it is safe.

One text per connection. It repeats the commands of the record; nothing is ever carried out.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from auditor.model.connection import ConnectionKind
from auditor.model.outcome import FindingOutcome, Outcome
from auditor.report.languages import ENGLISH, plain_texts
from auditor.report.visible_text import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.model.results import ConnectionResult, Finding, Remediation, RequirementResult, Results
    from auditor.report.languages import Texts

_WIDTH = 100
_LEAVE_DOMAIN_ADMINS = "AD-GRP-003"
_TO_GRANT = (Outcome.MISSING, Outcome.PARTIAL)


def proposal_bytes(
    results: Results, connection: ConnectionResult, record_sha256: str, language: str = ENGLISH
) -> bytes:
    """Return the text in UTF-8. Equal records give equal bytes. `record_sha256` is the digest of results.json.

    `results` are `translated` into the language already, and `connection` is one of theirs.
    """
    lines = _proposal(results, connection, record_sha256, plain_texts(language))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _proposal(results: Results, connection: ConnectionResult, record_sha256: str, t: Texts) -> Iterator[str]:
    findings = [finding for finding in results.findings if finding.connection == connection.id]
    title = t("REMEDIATION PROPOSAL FOR {connection}", connection=_shown(connection.id))
    yield f"{title}: {_shown(connection.name)}"
    yield ""
    yield from _wrapped(t(
        "For a person to read, check and decide. Nothing here was carried out, and nothing will be by this tool. Try "
        "every step in a test domain or tenant first; take a backup of the permissions you change."
    ))
    yield ""
    account = f"{_shown(connection.principal.name)} {_shown(connection.principal.sid or '')}".rstrip()
    run = t("{instant}, run {run}", instant=results.run.evaluated_at, run=_shown(results.run.id))
    facts = {t("Account"): account, t("Evaluated"): run, t("Record"): f"results.json, SHA-256 {record_sha256}"}
    width = max(map(len, facts)) + 3
    yield from (f"{name:<{width}}{fact}" for name, fact in facts.items())
    yield ""
    grants = _grants(connection, findings, t)
    yield from _section(1, t("What to grant"), t("Nothing: no documented permission is missing."), grants)
    excess = [finding for finding in findings if finding.outcome is FindingOutcome.EXCESS]
    nothing = t("Nothing: no undocumented permission was found.")
    yield from _section(2, t("What to take away"), nothing, _removals(excess, t))
    is_hybrid = connection.kind is ConnectionKind.HYBRID
    if is_hybrid:
        yield from _section(3, t("Leaving Domain Admins"), "", _leaving(connection, findings, t))
    unread = [finding for finding in findings if finding.outcome is FindingOutcome.UNVERIFIABLE]
    nothing = t("Nothing: everything in scope was read.")
    yield from _section(4 if is_hybrid else 3, t("What could not be verified"), nothing, _open_points(unread, t))


def _grants(connection: ConnectionResult, findings: Iterable[Finding], t: Texts) -> Iterator[str]:
    remediations = {(finding.check, finding.entitlement, finding.scope): finding.remediation for finding in findings}
    for requirement in connection.requirements:
        if requirement.outcome in _TO_GRANT:
            key = (requirement.check, requirement.id, requirement.scope)
            title = f"{requirement.id}: {_where(requirement, t)}"
            yield from _step([title], requirement.reason, remediations.get(key), t)


def _where(requirement: RequirementResult, t: Texts) -> str:
    if not requirement.scope:
        return requirement.documented
    return t("{documented}, for {scope}", documented=requirement.documented, scope=requirement.scope)


def _removals(excess: Iterable[Finding], t: Texts) -> Iterator[str]:
    alike: dict[Remediation, list[Finding]] = {}
    for finding in excess:
        alike.setdefault(finding.remediation, []).append(finding)
    for remediation, findings in alike.items():
        yield from _step([_titled(finding, t) for finding in findings], findings[0].actual, remediation, t)


def _titled(finding: Finding, t: Texts) -> str:
    title = f"{finding.check}: {finding.title}"
    if "=" in finding.scope:
        title = t("{title}, on {scope}", title=title, scope=finding.scope)
    return t("{title} (accepted by waiver {waiver})", title=title, waiver=finding.waiver) if finding.waiver else title


def _leaving(connection: ConnectionResult, findings: Iterable[Finding], t: Texts) -> Iterator[str]:
    membership = next((finding for finding in findings if finding.check == _LEAVE_DOMAIN_ADMINS), None)
    if membership is None:
        yield from _wrapped(
            t("The account was not found in Domain Admins.")
            if any(each.plane == "ad_group" and each.outcome is Outcome.MISSING for each in connection.requirements)
            else t("Whether the account is in Domain Admins was not read.")
        )
        return
    yield from _wrapped(t(
        "The vendor's page asks for Domain Admins in one place and for delegated control in another. In this order the "
        "account can leave Domain Admins without interrupting the connection:"
    ))
    yield ""
    breaks = [each for each in connection.without_domain_admins if each.outcome is not Outcome.SATISFIED]
    yield from _item(
        "a.", t("Agree with the vendor, in writing, that delegation alone is enough for this connection.")
    )
    if breaks:
        yield from _item("b.", t("Delegate what would break without Domain Admins:"))
        for each in breaks:
            row = t("{id} for {scope}", id=each.id, scope=each.scope) if each.scope else each.id
            would_be = t("{row} would be {outcome}.", row=row, outcome=t(each.outcome))
            yield from _item("   -", f"{would_be} {each.reason}", each.add)
    else:
        yield from _item(
            "b.", t("Nothing has to be delegated first: every other documented right holds without them.")
        )
    yield from _item(
        "c.",
        t("Wait for replication and run the audit again; every row of 'without Domain Admins' has to be satisfied."),
    )
    path = " -> ".join(membership.paths[0]) if membership.paths else ""
    yield from _item(
        "d.", t("End the membership that leads there: {path}", path=path), membership.remediation.commands
    )
    yield from _item(
        "e.",
        t(
            "Clear adminCount on the account and let it inherit permissions again, if no other protected group holds "
            "it; restart the connection, so that it signs in with the smaller token."
        ),
    )
    yield from _item("f.", t("Provision, change, disable and move a test user, then run the audit once more."))


def _open_points(unread: Iterable[Finding], t: Texts) -> Iterator[str]:
    for finding in unread:
        yield from _step([_titled(finding, t)], finding.actual, finding.remediation, t)


def _section(number: int, name: str, nothing: str, lines: Iterator[str]) -> Iterator[str]:
    title = f"{number}. {name}"
    yield title
    yield "-" * len(title)
    yield ""
    body = list(lines)
    yield from body or [nothing, ""]
    if body and body[-1]:
        yield ""


def _step(titles: Iterable[str], reason: str, remediation: Remediation | None, t: Texts) -> Iterator[str]:
    for title in titles:
        yield from _item("*", title)
    yield from _wrapped(t("Found: {reason}", reason=reason), indent="  ")
    if remediation is not None:
        yield from _wrapped(t("To do: {text}", text=remediation.text), indent="  ")
        yield from (f"      {_shown(command)}" for command in remediation.commands)
    yield ""


def _item(mark: str, text: str, commands: Iterable[str] = ()) -> Iterator[str]:
    yield from _wrapped(text, first=f"{mark} ", indent=" " * (len(mark) + 1))
    yield from (f"      {_shown(command)}" for command in commands)


def _wrapped(text: str, *, first: str | None = None, indent: str = "") -> list[str]:
    return textwrap.wrap(
        _shown(text),
        _WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _shown(text: str) -> str:
    return make_visible(text, keep="")
