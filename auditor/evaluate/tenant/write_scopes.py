"""How far a role assignment lets its holder write, in words (Exchange, "Understanding management role scopes")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.evaluate.fields import flag, same, text
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.tenant.account import is_guid
from auditor.evaluate.tenant.entra_roles import administrative_unit
from auditor.model.message import NOTHING, Message, joined, say

if TYPE_CHECKING:
    from auditor.model.evidence import Evidence, Record

_ADMINISTRATIVE_UNIT = "AdministrativeUnit"
_WITHOUT_RECIPIENTS = (
    "none",
    "notapplicable",
    "self",
    "mygal",
    "mydistributiongroups",
    "mydirectreports",
    "mailboxicandelegate",
)


@dataclass(frozen=True, slots=True)
class WriteScopes:
    """Resolves the write scope of assignments against the tenant's management scopes and administrative units."""

    evidence: Evidence

    def why_no_write(self, row: Record) -> Message:
        """Say why an assignment lets nobody else's recipients be written, or return the empty string."""
        scope = text(row, "RecipientWriteScope")
        if not _custom(row) and scope.casefold() in _WITHOUT_RECIPIENTS:
            return say("the write scope is {scope}", scope=scope)
        return NOTHING

    def limit(self, row: Record) -> Message:
        """Say what limits an assignment, or return the empty string; a custom scope overrides the implicit one."""
        custom = [self._in_words(label, value, row) for label, value in _custom(row)]
        scope = text(row, "RecipientWriteScope")
        if custom:
            return joined(", ", custom)
        return say("write scope {scope}", scope=scope) if scope and not same(scope, "Organization") else NOTHING

    @staticmethod
    def names(row: Record) -> frozenset[str]:
        """Return the names of the scopes that limit an assignment, case-folded."""
        return frozenset(value.casefold() for _, value in _custom(row))

    def exclusive_to_others(self, own: frozenset[str]) -> tuple[tuple[str, Message], ...]:
        """Return (id, words) of the exclusive scopes that are not among the names of the account's `own`.

        What is in an exclusive scope can be written by its assignees alone, whoever may write the organisation.
        """
        return tuple(
            sorted(
                (text(scope, "ExchangeObjectId") or text(scope, "Name"), self._management_scope(scope))
                for scope in self.evidence.read("management_scopes")
                if flag(scope, "Exclusive") is True and text(scope, "Name").casefold() not in own
            )
        )

    def _in_words(self, label: Message, value: str, row: Record) -> Message:
        if same(text(row, "RecipientWriteScope"), _ADMINISTRATIVE_UNIT) or label == "administrative unit":
            if is_guid(value):
                return administrative_unit(value, self.evidence)
            return say("administrative unit {id}", id=value)
        if label != "recipient scope":
            return joined(" ", (label, value))
        read = self.evidence.read("management_scopes")
        for scope in read:
            if value.casefold() in {text(scope, name).casefold() for name in ("Name", "Identity", "Guid")}:
                return say("recipient scope {scope}", scope=self._management_scope(scope))
        unknown = describe_gap(read.gap) if read.gap is not None else say("there is no management scope of that name")
        return say("recipient scope {scope} ({unknown})", scope=value, unknown=unknown)

    @staticmethod
    def _management_scope(scope: Record) -> Message:
        return say(
            "{name} (exclusive, {filter})" if flag(scope, "Exclusive") is True else "{name} ({filter})",
            name=text(scope, "Name"),
            filter=text(scope, "RecipientFilter") or say("no filter stated"),
        )


def _custom(row: Record) -> tuple[tuple[Message, str], ...]:
    return tuple(
        (label, text(row, name))
        for name, label in (
            ("CustomRecipientWriteScope", say("recipient scope")),
            ("RecipientAdministrativeUnitScope", say("administrative unit")),
            ("RecipientGroupScope", say("group")),
            ("RecipientOrganizationalUnitScope", say("organizational unit")),
            ("CustomResourceScope", say("resource scope")),
        )
        if text(row, name)
    )
