"""What a person could change to bring a connection to what is documented, in the order in which it is safe.

One text per connection. It repeats the commands of the record; nothing is ever carried out.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from auditor.model.connection import ConnectionKind
from auditor.model.outcome import FindingOutcome, Outcome
from auditor.report.visible_text import make_visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.model.results import ConnectionResult, Finding, Remediation, RequirementResult, Results

_WIDTH = 100
_LEAVE_DOMAIN_ADMINS = "AD-GRP-003"
_TO_GRANT = (Outcome.MISSING, Outcome.PARTIAL)


def proposal_bytes(results: Results, connection: ConnectionResult, record_sha256: str) -> bytes:
    """Return the text in UTF-8. Equal records give equal bytes. `record_sha256` is the digest of results.json."""
    lines = _proposal(results, connection, record_sha256)
    return ("\n".join(lines) + "\n").encode("utf-8")


def _proposal(results: Results, connection: ConnectionResult, record_sha256: str) -> Iterator[str]:
    findings = [finding for finding in results.findings if finding.connection == connection.id]
    yield f"REMEDIATION PROPOSAL FOR {_shown(connection.id)}: {_shown(connection.name)}"
    yield ""
    yield from _wrapped(
        "For a person to read, check and decide. Nothing here was carried out, and nothing will be by this tool. Try "
        "every step in a test domain or tenant first; take a backup of the permissions you change."
    )
    yield ""
    yield f"Account     {_shown(connection.principal.name)} {_shown(connection.principal.sid or '')}".rstrip()
    yield f"Evaluated   {results.run.evaluated_at}, run {_shown(results.run.id)}"
    yield f"Record      results.json, SHA-256 {record_sha256}"
    yield ""
    grants = _grants(connection, findings)
    yield from _section("1. What to grant", "Nothing: no documented permission is missing.", grants)
    excess = [finding for finding in findings if finding.outcome is FindingOutcome.EXCESS]
    yield from _section("2. What to take away", "Nothing: no undocumented permission was found.", _removals(excess))
    if connection.kind is ConnectionKind.HYBRID:
        yield from _section("3. Leaving Domain Admins", "", _leaving(connection, findings))
        number = 4
    else:
        number = 3
    unread = [finding for finding in findings if finding.outcome is FindingOutcome.UNVERIFIABLE]
    yield from _section(
        f"{number}. What could not be verified", "Nothing: everything in scope was read.", _open_points(unread)
    )


def _grants(connection: ConnectionResult, findings: Iterable[Finding]) -> Iterator[str]:
    remediations = {(finding.check, finding.entitlement, finding.scope): finding.remediation for finding in findings}
    for requirement in connection.requirements:
        if requirement.outcome in _TO_GRANT:
            key = (requirement.check, requirement.id, requirement.scope)
            yield from _step([f"{requirement.id}: {_where(requirement)}"], requirement.reason, remediations.get(key))


def _where(requirement: RequirementResult) -> str:
    return f"{requirement.documented}, for {requirement.scope}" if requirement.scope else requirement.documented


def _removals(excess: Iterable[Finding]) -> Iterator[str]:
    alike: dict[Remediation, list[Finding]] = {}
    for finding in excess:
        alike.setdefault(finding.remediation, []).append(finding)
    for remediation, findings in alike.items():
        yield from _step([_titled(finding) for finding in findings], findings[0].actual, remediation)


def _titled(finding: Finding) -> str:
    where = f", on {finding.scope}" if "=" in finding.scope else ""
    waived = f" (accepted by waiver {finding.waiver})" if finding.waiver else ""
    return f"{finding.check}: {finding.title}{where}{waived}"


def _leaving(connection: ConnectionResult, findings: Iterable[Finding]) -> Iterator[str]:
    membership = next((finding for finding in findings if finding.check == _LEAVE_DOMAIN_ADMINS), None)
    if membership is None:
        yield from _wrapped(
            "The account was not found in Domain Admins."
            if any(each.plane == "ad_group" and each.outcome is Outcome.MISSING for each in connection.requirements)
            else "Whether the account is in Domain Admins was not read."
        )
        return
    yield from _wrapped(
        "The vendor's page asks for Domain Admins in one place and for delegated control in another. In this order the "
        "account can leave Domain Admins without interrupting the connection:"
    )
    yield ""
    breaks = [each for each in connection.without_domain_admins if each.outcome is not Outcome.SATISFIED]
    yield from _item("a.", "Agree with the vendor, in writing, that delegation alone is enough for this connection.")
    if breaks:
        yield from _item("b.", "Delegate what would break without Domain Admins:")
        for each in breaks:
            scope = f" for {each.scope}" if each.scope else ""
            yield from _item("   -", f"{each.id}{scope} would be {each.outcome}. {each.reason}", each.add)
    else:
        yield from _item("b.", "Nothing has to be delegated first: every other documented right holds without them.")
    yield from _item(
        "c.", "Wait for replication and run the audit again; every row of 'without Domain Admins' has to be satisfied."
    )
    path = " -> ".join(membership.paths[0]) if membership.paths else ""
    yield from _item(
        "d.", f"End the membership that leads there: {path}", membership.remediation.commands
    )
    yield from _item(
        "e.",
        "Clear adminCount on the account and let it inherit permissions again, if no other protected group holds it; "
        "restart the connection, so that it signs in with the smaller token.",
    )
    yield from _item("f.", "Provision, change, disable and move a test user, then run the audit once more.")


def _open_points(unread: Iterable[Finding]) -> Iterator[str]:
    for finding in unread:
        yield from _step([_titled(finding)], finding.actual, finding.remediation)


def _section(title: str, nothing: str, lines: Iterator[str]) -> Iterator[str]:
    yield title
    yield "-" * len(title)
    yield ""
    body = list(lines)
    yield from body or [nothing, ""]
    if body and body[-1]:
        yield ""


def _step(titles: Iterable[str], reason: str, remediation: Remediation | None) -> Iterator[str]:
    for title in titles:
        yield from _item("*", title)
    yield from _wrapped(f"Found: {reason}", indent="  ")
    if remediation is not None:
        yield from _wrapped(f"To do: {remediation.text}", indent="  ")
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
