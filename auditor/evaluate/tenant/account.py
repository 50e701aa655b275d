"""Who the service account is: in Entra by object id, in Exchange by the same id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.judgement import Judgement, describe_gap
from auditor.model.evidence import Evidence, GapKind, Read, Record
from auditor.model.message import NOTHING, Message, say
from auditor.model.outcome import Outcome
from auditor.model.results import EvidenceReference, PrincipalRecord

if TYPE_CHECKING:
    from auditor.evaluate.tenant.role_assignments import RoleAssignments
    from auditor.model.connection import ExchangeOnlineConnection

USER = EvidenceReference(dataset="user")
EXCHANGE_USER = EvidenceReference(dataset="exchange_user")


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantAccount:
    """The audited account. `aliases` are the names Exchange may call it by, case-folded.

    `display_names` are names that it bears and others may bear as well; they identify nobody.

    `object_id` is None while nothing told it. `is_absent` is True only when both services said so.
    """

    name: str
    object_id: str | None
    user: Record | None
    exchange_user: Record | None
    is_absent: bool
    aliases: frozenset[str]
    display_names: frozenset[str]

    @property
    def principal(self) -> PrincipalRecord:
        """The account as the results name it."""
        return PrincipalRecord(name=self.name, object_id=self.object_id)


def identify_account(evidence: Evidence, connection: ExchangeOnlineConnection) -> TenantAccount:
    """Find the account in the evidence by object id; its configured name is only the question."""
    user = next(iter(evidence.read("user")), None)
    exchange_user = _exchange_user(evidence.read("exchange_user"), user, connection)
    object_id = (
        (user and text(user, "id"))
        or (exchange_user and text(exchange_user, "ExternalDirectoryObjectId"))
        or (connection.service_account if is_guid(connection.service_account) else None)
    )
    known_names = {connection.service_account, object_id or ""}
    if user:
        known_names.add(text(user, "userPrincipalName"))
    if exchange_user:
        known_names |= {
            text(exchange_user, name)
            for name in (
                "Name",
                "Identity",
                "Id",
                "Guid",
                "ExchangeObjectId",
                "DistinguishedName",
                "UserPrincipalName",
            )
        }
    return TenantAccount(
        name=(user and text(user, "userPrincipalName")) or connection.service_account,
        object_id=object_id or None,
        user=user,
        exchange_user=exchange_user,
        is_absent=_not_found(evidence.read("user")) and _not_found(evidence.read("exchange_user")),
        aliases=frozenset(name.casefold() for name in known_names if name),
        display_names=frozenset(
            name.casefold()
            for record, field in ((user, "displayName"), (exchange_user, "DisplayName"))
            if record and (name := text(record, field))
        ),
    )


def is_guid(value: str) -> bool:
    """Tell whether a text is a GUID."""
    try:
        UUID(value)
    except ValueError:
        return False
    return True


def _exchange_user(read: Read, user: Record | None, connection: ExchangeOnlineConnection) -> Record | None:
    # An unknown identity makes some cmdlets return every object: take only the one that was asked for.
    wanted = (user and text(user, "id")) or ""
    for record in read:
        object_id = text(record, "ExternalDirectoryObjectId")
        if wanted and same(object_id, wanted):
            return record
        if not wanted and (
            same(text(record, "UserPrincipalName"), connection.service_account)
            or same(object_id, connection.service_account)
        ):
            return record
    return None


def _not_found(read: Read) -> bool:
    return read.gap is not None and read.gap.kind is GapKind.NOT_FOUND


def judge_account(evidence: Evidence, account: TenantAccount, assignments: RoleAssignments) -> Judgement:
    """Judge the connection's Entra ID service account: it exists, is enabled, and Exchange knows it.

    `assignments` may show that Exchange knows the account although it did not give it.
    """
    if account.is_absent:
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("neither Entra ID nor Exchange Online knows this account"),
            actual=say("no such account"),
            evidence=(USER, EXCHANGE_USER),
        )
    if account.user is None:
        return _unread_account(evidence)
    enabled = flag(account.user, "accountEnabled")
    if enabled is False:
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("the account exists but is disabled"),
            actual=say("account disabled"),
            evidence=(USER,),
        )
    if enabled is None:
        return Judgement(
            outcome=Outcome.UNVERIFIABLE,
            reason=say(
                "Graph did not say whether the account is enabled (needed: application permission User.Read.All)",
            ),
            actual=say("account exists, state not readable"),
            evidence=(USER,),
        )
    return _judge_known_to_exchange(evidence, account, assignments)


def _unread_account(evidence: Evidence) -> Judgement:
    gap = evidence.read("user").gap
    contradiction = gap is not None and gap.kind is GapKind.NOT_FOUND
    reason = (
        say("Entra ID says that the account does not exist, Exchange Online did not confirm it")
        if contradiction
        else describe_gap(gap)
        if gap is not None
        else say("Entra ID returned no account")
    )
    actual = say("not readable")
    return Judgement(outcome=Outcome.UNVERIFIABLE, reason=reason, actual=actual, evidence=(USER, EXCHANGE_USER))


def _judge_known_to_exchange(evidence: Evidence, account: TenantAccount, assignments: RoleAssignments) -> Judgement:
    read = evidence.read("exchange_user")
    is_known = (
        account.exchange_user is not None or assignments.name_the_account or _is_member_somewhere(evidence, account)
    )
    if is_known and not _not_found(read):
        return Judgement(
            outcome=Outcome.SATISFIED,
            how="exact",
            reason=say("the account exists, is enabled and is known to Exchange Online"),
            actual=say("account enabled and known to Exchange Online"),
            evidence=(USER, EXCHANGE_USER),
        )
    if is_known or (_not_found(read) and assignments.did_not_refuse_it):
        return _open(say("Exchange Online says that it does not know the account, and answers questions about it"))
    if read.absence_is_proven or _not_found(read):
        return Judgement(
            outcome=Outcome.MISSING,
            reason=say("the account exists in Entra ID, but Exchange Online does not know it"),
            actual=say("account enabled, unknown to Exchange Online"),
            evidence=(USER, EXCHANGE_USER),
        )
    return _open(describe_gap(read.gap) if read.gap else NOTHING)


def _open(reason: Message) -> Judgement:
    return Judgement(
        outcome=Outcome.UNVERIFIABLE,
        reason=reason,
        actual=say("account enabled; whether Exchange Online knows it is open"),
        evidence=(EXCHANGE_USER,),
    )


def _is_member_somewhere(evidence: Evidence, account: TenantAccount) -> bool:
    return account.object_id is not None and any(
        same(text(member, "ExternalDirectoryObjectId"), account.object_id)
        for _, read in evidence.reads_of("role_group_members")
        for member in read
    )
