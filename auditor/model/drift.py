"""The part of the record that tells what changed since an earlier run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.model.outcome import DriftState


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftEntry:
    """One difference between two runs, told so that it can be read without the earlier run.

    `key` is that of a finding, or made of an entitlement's connection, kind, id and scope. `before` and
    `after` are outcomes or statuses, `absent` when there was none; `reason` says why it is not comparable.
    """

    key: str
    subject: Literal["finding", "entitlement"]
    state: DriftState
    connection: str
    title: str
    scope: str
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecord:
    """The comparison with an earlier run; `baseline_run` is None when there is none.

    `compared` counts requirements, findings and entitlements that could be compared. The lists hold
    keys of findings; `entries` tells the same differences and those of entitlements in full.
    `matrices_changed` names connections that the two runs judged against different matrices.
    """

    baseline_run: str | None = None
    baseline_evaluated_at: str | None = None
    compared: int = 0
    new: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    not_comparable: tuple[str, ...] = ()
    entries: tuple[DriftEntry, ...] = ()
    checks_added: tuple[str, ...] = ()
    checks_removed: tuple[str, ...] = ()
    connections_added: tuple[str, ...] = ()
    connections_removed: tuple[str, ...] = ()
    matrices_changed: tuple[str, ...] = ()

    @property
    def differences(self) -> tuple[DriftEntry, ...]:
        """What is new, resolved or changed, entitlements included."""
        return tuple(entry for entry in self.entries if entry.state is not DriftState.NOT_COMPARABLE)

    @property
    def entitlement_differences(self) -> int:
        """How many entitlements are new, resolved or changed; the lists of findings do not count them."""
        return sum(entry.subject == "entitlement" for entry in self.differences)
