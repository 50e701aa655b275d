"""Cases of what the delegation reaches below the target OU, and of OUs that the auditor cannot see."""

from __future__ import annotations

from dataclasses import replace

from auditor.model.outcome import Outcome
from tests.lab.cases import BOTH, CONTROL, CREATE, NEITHER, TARGETS, Case, Dacl, Target
from tests.lab.estate import user
from tests.lab.user_task import (
    HIDE_CONTENTS,
    HIDE_DESCRIPTOR,
    MANAGE,
    USER_TASK,
    cannot,
    delegated,
    place,
    target,
)

SATISFIED, PARTIAL, MISSING = Outcome.SATISFIED, Outcome.PARTIAL, Outcome.MISSING
UNVERIFIABLE = Outcome.UNVERIFIABLE

REACH = (
    Case(
        name="blocked",
        why="inheritance cut off below the target",
        objects=(user(f"CN=boss,OU=blocked-person,{TARGETS}", "boss"),),
        guarded_people=("boss",),
        targets=(
            target(
                PARTIAL,
                "a protected OU below lacks the ACEs",
                delegated("OU=blocked"),
                place("OU=protected", NEITHER, protected=True),
                findings=cannot(*range(2, 10), 13) | {"AD-DEL-016 partial"},
            ),
            target(
                PARTIAL,
                "the protected one is a container two levels down",
                delegated("OU=blocked-container"),
                place("OU=deeper", BOTH),
                replace(place("CN=protected,OU=deeper", NEITHER, protected=True), object_class="container"),
                findings=cannot(*range(2, 10), 13) | {"AD-DEL-016 partial"},
            ),
            target(
                SATISFIED,
                "a protected OU below carries the ACEs itself",
                delegated("OU=blocked-repeated"),
                replace(delegated("OU=protected"), protected=True),
            ),
            target(
                SATISFIED,
                "an administrator lives there, whose DACL is that of AdminSDHolder",
                delegated("OU=blocked-person"),
                findings=frozenset({"AD-DEL-017 advisory"}),
            ),
        ),
    ),
    Case(
        name="no-propagate",
        why="ACEs that reach direct children only",
        targets=(
            target(
                PARTIAL,
                "users in OUs below are out of reach",
                place(
                    "OU=no-propagate",
                    BOTH,
                    "(OA;CINP;CCDC;{user};;{account})",
                    "(OA;CINPIO;GA;;{user};{account})",
                ),
                place("OU=deeper", CREATE),
                place("OU=deepest,OU=deeper", NEITHER),
                findings=cannot(*range(2, 10)),
            ),
            target(
                SATISFIED,
                "there is no OU below",
                place(
                    "OU=no-propagate-flat",
                    BOTH,
                    "(OA;CINP;CCDC;{user};;{account})",
                    "(OA;CINPIO;GA;;{user};{account})",
                ),
            ),
        ),
    ),
    Case(
        name="no-inherit",
        why="the right to create and delete on the OU alone",
        targets=(
            target(
                PARTIAL,
                "an OU below is out of reach",
                place("OU=no-inherit", BOTH, "(OA;;CCDC;{user};;{account})", MANAGE),
                place("OU=deeper", CONTROL),
                findings=cannot(9),
            ),
            target(
                SATISFIED,
                "there is no OU below",
                place("OU=no-inherit-flat", BOTH, "(OA;;CCDC;{user};;{account})", MANAGE),
            ),
        ),
    ),
)

UNSEEN = (
    Case(
        name="empty-dacl",
        why="nobody may read the OU",
        targets=(
            target(
                UNVERIFIABLE, "the auditor cannot see it", place("OU=empty-dacl", NEITHER, dacl=Dacl.EMPTY)
            ),
        ),
    ),
    Case(
        name="unreadable",
        why="the auditor sees an OU but not its security descriptor",
        targets=(
            target(
                UNVERIFIABLE,
                "the auditor may not read the OU's descriptor",
                place("OU=unreadable", BOTH, HIDE_DESCRIPTOR, *USER_TASK),
            ),
            target(
                UNVERIFIABLE,
                "nor that of an OU below, which may be protected",
                delegated("OU=unreadable-below"),
                place("OU=deeper", BOTH, HIDE_DESCRIPTOR),
            ),
        ),
    ),
    Case(
        name="hidden",
        why="the auditor may not list what is in an OU",
        targets=(
            Target(
                dn=f"OU=hidden,OU=vault,{TARGETS}",
                delegation=UNVERIFIABLE,
                why="the target's parent does not list it",
                places=(
                    place(f"OU=vault,{TARGETS}", NEITHER, HIDE_CONTENTS),
                    delegated(f"OU=hidden,OU=vault,{TARGETS}"),
                ),
            ),
            Target(
                dn=f"OU=nowhere,OU=vault,{TARGETS}",
                delegation=UNVERIFIABLE,
                why="it does not exist, but would look the same if it did",
            ),
            target(
                UNVERIFIABLE,
                "the target does not list its OUs, of which one is protected",
                place("OU=hidden-below", BOTH, HIDE_CONTENTS, *USER_TASK),
                place("OU=protected", NEITHER, protected=True),
            ),
        ),
    ),
    Case(
        name="nonexistent",
        why="an OU that is not there",
        targets=(
            Target(
                dn=f"OU=nowhere,{TARGETS}",
                delegation=MISSING,
                why="its parent, which lists all, has no such OU",
                findings=cannot(19),
            ),
            Target(
                dn=f"OU=nowhere,OU=at-all,{TARGETS}",
                delegation=MISSING,
                why="nor is its parent there",
                findings=cannot(19),
            ),
        ),
    ),
)
