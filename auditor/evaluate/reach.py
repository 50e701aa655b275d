"""Which reads of a recorded run something depends on, so that its absence means something.

The record names every read with its dataset and whether it is complete. What is not known to be out of
reach of a failed read counts as depending on it: a dataset that is not named here is needed by everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.model.distinguished_name import is_dn_within
from auditor.model.evidence import GapKind, is_answer
from auditor.model.message import NOTHING, Message, say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.model.results import SourceRecord

_HOST = "host"
_ONE_SUBTREE = frozenset(
    {"target_ou", "group_ou", "containers", "inhabitants", "nearest_ancestor", "object", "effective_rights"}
)
_EXCHANGE = frozenset(
    {
        "exchange_user",
        "role_groups",
        "role_group_members",
        "management_role_assignments",
        "management_role_assignments_of_account",
        "management_roles",
        "management_role_entries",
        "management_scopes",
    }
)
_ONE_CHECK = {
    "other_containers": "AD-PRV-012",
    "certificate_services": "AD-PRV-015",
    "managed_service_accounts": "AD-PRV-014",
    "trustees": "AD-PRV-018",
}
_NOT_IN_EXCHANGE = frozenset({"entra_role", "consent"})


class Reading:
    """The reads of one connection that are not complete."""

    def __init__(self, sources: Iterable[SourceRecord]) -> None:
        sources = tuple(sources)
        self._gaps = tuple(source for source in sources if _leaves_something_open(source))
        self._hosts = frozenset(source.subject.casefold() for source in sources if source.dataset == _HOST)

    def missing_for(self, check: str, datasets: frozenset[str], scope: str) -> Message:
        """Name a read without which the absence of something proves nothing; empty when there is none.

        `datasets` are those a finding refers to, or the kind of an entitlement.
        """
        return next((_name(gap) for gap in self._gaps if self._concerns(gap, check, datasets, scope)), NOTHING)

    def _concerns(self, gap: SourceRecord, check: str, datasets: frozenset[str], scope: str) -> bool:
        if gap.dataset == _HOST:
            is_of_another = scope.casefold() in self._hosts - {gap.subject.casefold()}
            return _HOST in datasets and not is_of_another
        if gap.dataset in _ONE_CHECK:
            return check == _ONE_CHECK[gap.dataset]
        if gap.dataset in _ONE_SUBTREE:
            return is_dn_within(scope, gap.subject) or (bool(datasets & _ONE_SUBTREE) and "=" not in scope)
        if gap.dataset in _EXCHANGE:
            return not (datasets & _NOT_IN_EXCHANGE or (check.startswith("ENT-") and not datasets & _EXCHANGE))
        return True


def _leaves_something_open(source: SourceRecord) -> bool:
    if source.complete:
        return False
    return source.error_kind is None or not is_answer(source.dataset, GapKind(source.error_kind))


def _name(gap: SourceRecord) -> Message:
    return say("{dataset} of {subject}" if gap.subject else "{dataset}", dataset=gap.dataset, subject=gap.subject)
