"""The user task of the delegation wizard, and how the cases write down where it is given.

"Create, delete and manage user accounts" lets its holder create and delete users in an OU and gives
full control of the users below it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.lab.cases import AUDITOR, BOTH, NEITHER, TARGETS, Dacl, Place, Power, Target

if TYPE_CHECKING:
    from auditor.model.outcome import Outcome

CREATE_AND_DELETE = "(OA;CI;CCDC;{user};;{account})"
MANAGE = "(OA;CIIO;GA;;{user};{account})"
USER_TASK = (CREATE_AND_DELETE, MANAGE)
EVERYTHING = (1, 2, 3, 4, 5, 6)  # what full control of an OU comes to, by the numbers of AD-PRV checks
_ADVISORIES = (18, 21)
HIDE_CONTENTS = f"(D;;LC;;;{{sid:{AUDITOR}}})"
HIDE_DESCRIPTOR = f"(D;;RC;;;{{sid:{AUDITOR}}})"


def given_to(trustee: str, *aces: str) -> tuple[str, ...]:
    """Return ACEs with a group's sAMAccountName or a SID in place of the case's account."""
    shown = trustee if trustee.startswith("S-1-") else f"{{sid:{trustee}}}"
    return tuple(ace.replace("{account}", shown) for ace in aces)


def cannot(*checks: int) -> frozenset[str]:
    """Return the findings that say which operations on users do not work."""
    return frozenset(f"AD-DEL-{check:03} missing" for check in checks)


def may(*checks: int) -> frozenset[str]:
    """Return the findings that say which rights go further than the task."""
    return frozenset(f"AD-PRV-{check:03} {'advisory' if check in _ADVISORIES else 'excess'}" for check in checks)


def target(
    delegation: Outcome, why: str, here: Place, *below: Place, findings: frozenset[str] = frozenset()
) -> Target:
    """Describe a target OU by its place, named relative to `OU=Targets`, and the places below that."""
    dn = f"{here.dn},{TARGETS}"
    inside = (replace(place, dn=f"{place.dn},{dn}") for place in below)
    return Target(dn=dn, delegation=delegation, why=why, places=(replace(here, dn=dn), *inside), findings=findings)


def place(dn: str, power: Power, *aces: str, protected: bool = False, dacl: Dacl | None = None) -> Place:
    """Describe an OU by its DN relative to where it will lie."""
    return Place(dn=dn, power=power, aces=aces, protected=protected, dacl=dacl)


def delegated(dn: str) -> Place:
    """Describe an OU with exactly the user task for the case's account."""
    return place(dn, BOTH, *USER_TASK)


def bare(dn: str) -> Place:
    """Describe an OU as it is made, with nothing for the case's account."""
    return place(dn, NEITHER)
