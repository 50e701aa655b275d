"""AD-DEL-002 to 009, 013: what of the user task works and what does not, where it is delegated.

The page documents the task as a whole; these rows are derived from what the product does with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from auditor.acl import AccessMask
from auditor.evaluate.directory.grants import aces_granting, aces_granting_below
from auditor.evaluate.directory.holder import OPEN, ask, holder_without_domain_admins
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.evaluate.findings import make_finding
from auditor.evaluate.listing import and_more
from auditor.evaluate.remediation import delegate
from auditor.model.message import Message, joined, say
from auditor.model.outcome import FindingOutcome, Outcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.acl import Ace, SecurityDescriptor, Token
    from auditor.evaluate.directory.holder import Question
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.schema import DirectorySchema
    from auditor.model.results import Finding

_MAINTAINED_ATTRIBUTES = (
    "givenName", "sn", "displayName", "mail", "telephoneNumber", "title", "department", "company", "manager",
    "physicalDeliveryOfficeName", "streetAddress", "l", "st", "postalCode", "co", "description", "employeeID",
)  # fmt: skip
_NAMES = ("cn", "name", "userPrincipalName", "sAMAccountName")
_RESET_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"  # noqa: S105 - the GUID of a right
_NAMES_SHOWN = 5

_FAILS = "Cannot {operation} everywhere, without Domain Admins"
_MAY_FAIL = "Perhaps cannot {operation} everywhere, without Domain Admins"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    """One thing the product does with users, and whether a container lets the account do it."""

    check: str
    severity: Severity
    words: Message
    works: Question


def check_user_operations(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report, for each target OU where the task is held at least in part, the operations that do not work everywhere.

    Where it is held whole, listing may still fail, which is no part of the task.
    """
    membership = facts.account.membership
    if membership is None:
        return
    holder = holder_without_domain_admins(membership)
    operations = tuple(_operations(facts.schema))
    for ou, delegated in facts.delegations.items():
        if delegated.subtree is None or delegated.judgement.outcome not in (Outcome.PARTIAL, Outcome.SATISFIED):
            continue  # not held at all, or not known: the requirement says it
        for operation in operations:
            failing: list[str] = []
            left_open: list[str] = []
            for group in delegated.subtree.alike(holder.possible):
                held = ask(operation.works, group.descriptor, holder)
                if held is None or not held.is_certain:
                    (failing if held is None else left_open).extend(container.dn for container in group.containers)
            if failing:
                yield _finding(facts, membership, ou, operation, failing)
            elif left_open:
                yield _left_open(_finding(facts, membership, ou, operation, left_open, title=_MAY_FAIL))


def _operations(schema: DirectorySchema) -> Iterator[_Operation]:
    def writes(*attributes: str) -> Question:
        questions = [
            _below(AccessMask.WRITE_PROPERTY, schema.object_types(name, "user"))
            for name in attributes
            if schema.object_types(name, "user")
        ]
        return _all_of(*questions)

    high, medium = Severity.HIGH, Severity.MEDIUM
    creates, deletes = _on(AccessMask.CREATE_CHILD), _on(AccessMask.DELETE_CHILD)
    deletes_user = _below(AccessMask.DELETE, (USER_CLASS,))
    yield _Operation(
        check="AD-DEL-002", severity=medium, words=say("delete users"), works=_any_of(deletes, deletes_user)
    )
    yield _Operation(
        check="AD-DEL-003",
        severity=high,
        words=say("write the attributes of users"),
        works=writes(*_MAINTAINED_ATTRIBUTES),
    )
    yield _Operation(
        check="AD-DEL-004",
        severity=high,
        words=say("reset passwords"),
        works=_below(AccessMask.CONTROL_ACCESS, (_RESET_PASSWORD,)),
    )
    yield _Operation(
        check="AD-DEL-005", severity=medium, words=say("demand a password change"), works=writes("pwdLastSet")
    )
    yield _Operation(
        check="AD-DEL-006", severity=high, words=say("enable and disable users"), works=writes("userAccountControl")
    )
    yield _Operation(check="AD-DEL-007", severity=medium, words=say("unlock users"), works=writes("lockoutTime"))
    yield _Operation(check="AD-DEL-008", severity=medium, words=say("rename users"), works=writes(*_NAMES))
    yield _Operation(
        check="AD-DEL-009",
        severity=high,
        words=say("move users"),
        works=_all_of(_any_of(deletes, deletes_user), creates, writes("cn", "name")),
    )
    yield _Operation(
        check="AD-DEL-013",
        severity=medium,
        words=say("list and read users"),
        works=_all_of(_on(AccessMask.LIST_CONTENTS), _below(AccessMask.READ_PROPERTY, None)),
    )


def _on(right: AccessMask) -> Question:
    return lambda descriptor, token: aces_granting(descriptor, token, right, (USER_CLASS,))


def _below(right: AccessMask, object_types: tuple[str, ...] | None) -> Question:
    return lambda descriptor, token: aces_granting_below(descriptor, token, USER_CLASS, right, object_types)


def _any_of(*questions: Question) -> Question:
    def first(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
        answers = (question(descriptor, token) for question in questions)
        return next((answer for answer in answers if answer is not None), None)

    return first


def _all_of(*questions: Question) -> Question:
    def every(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
        answers = [question(descriptor, token) for question in questions]
        return None if None in answers else tuple(ace for answer in answers for ace in answer or ())

    return every


def _finding(
    facts: DirectoryFacts,
    membership: Membership,
    ou: str,
    operation: _Operation,
    failing: list[str],
    *,
    title: str = _FAILS,
) -> Finding:
    more = and_more(failing, _NAMES_SHOWN)
    return make_finding(
        check=operation.check,
        connection=facts.connection.id,
        outcome=FindingOutcome.MISSING if facts.delegation_is_required else FindingOutcome.ADVISORY,
        severity=operation.severity,
        principal=membership.account_sid,
        entitlement=operation.check,
        scope=ou,
        title=say(title, operation=operation.words),
        documented=say("part of the user task; derived from the page's delegated control"),
        actual=say("does not work in {places}{more}", places="; ".join(failing[:_NAMES_SHOWN]), more=more),
        evidence=(
            EvidenceReference(dataset="target_ou", record=ou),
            EvidenceReference(dataset="containers", record=ou),
        ),
        remediation=delegate([ou], membership.sign_in_name),
    )


def _left_open(finding: Finding) -> Finding:
    return replace(
        finding,
        outcome=FindingOutcome.UNVERIFIABLE,
        severity=Severity.MEDIUM,
        actual=joined("; ", (OPEN, finding.actual)),
    )
