"""Cases of what is delegated on the target OU: the whole user task in other words, or a part of it."""

from __future__ import annotations

from auditor.model.outcome import Outcome
from tests.lab.cases import BOTH, CONTROL, CREATE, GROUPS, NEITHER, TARGETS, Case, Dacl, Target, lab_group
from tests.lab.estate import AccessChange, Membership, distribution_group, domain_local_group
from tests.lab.user_task import (
    CREATE_AND_DELETE,
    EVERYTHING,
    MANAGE,
    USER_TASK,
    bare,
    cannot,
    delegated,
    given_to,
    may,
    place,
    target,
)

SATISFIED, PARTIAL, MISSING = Outcome.SATISFIED, Outcome.PARTIAL, Outcome.MISSING
CREATOR_OWNER = "S-1-3-0"

WHOLE_TASK = (
    Case(
        name="exact",
        why="the wizard's two ACEs for the account itself",
        targets=(target(SATISFIED, "both ACEs", delegated("OU=exact")),),
    ),
    Case(
        name="split",
        why="the same rights in other ACEs",
        targets=(
            target(
                SATISFIED,
                "one ACE per right, full control spelled out",
                place(
                    "OU=split",
                    BOTH,
                    "(OA;CI;CC;{user};;{account})",
                    "(OA;CI;DC;{user};;{account})",
                    "(OA;CIIO;CCDCLCSWRPWPDTLOCRSDRCWDWO;;{user};{account})",
                ),
            ),
        ),
    ),
    Case(
        name="superset",
        why="more than the task",
        targets=(
            target(
                SATISFIED,
                "full control of the OU and everything below it",
                place("OU=superset", BOTH, "(A;CI;GA;;;{account})"),
                place("OU=deeper", BOTH),
                findings=may(*EVERYTHING, 7, 9, 14, 21),
            ),
        ),
    ),
    Case(
        name="inherited",
        why="delegated above the target",
        findings_elsewhere={f"OU=inherited,{TARGETS}": may(13)},
        targets=(
            Target(
                dn=f"OU=child,OU=inherited,{TARGETS}",
                delegation=SATISFIED,
                why="the ACEs stand on the parent OU and are inherited",
                places=(
                    delegated(f"OU=inherited,{TARGETS}"),
                    place(f"OU=child,OU=inherited,{TARGETS}", BOTH),
                ),
            ),
        ),
    ),
    Case(
        name="inherited-deny",
        why="an explicit allow comes before an inherited deny",
        targets=(
            Target(
                dn=f"OU=child,OU=inherited-deny,{TARGETS}",
                delegation=SATISFIED,
                why="the deny on the parent is inherited and stands after the child's own ACEs",
                places=(
                    place(f"OU=inherited-deny,{TARGETS}", NEITHER, "(OD;CI;CCDC;{user};;{account})"),
                    delegated(f"OU=child,OU=inherited-deny,{TARGETS}"),
                ),
            ),
        ),
    ),
    Case(
        name="deletion-guard",
        why="OUs protected from accidental deletion",
        targets=(
            target(
                SATISFIED,
                "Everyone may not delete the OU itself, which the task does not ask for",
                place("OU=guarded", BOTH, "(D;;SDDT;;;WD)", *USER_TASK),
            ),
            target(
                PARTIAL,
                "a guarded OU below makes its parent deny everyone the deletion of any child",
                place("OU=guards", BOTH, "(D;;DC;;;WD)", *USER_TASK),
                place("OU=guarded", BOTH, "(D;;SDDT;;;WD)"),
                findings=frozenset({"AD-DEL-018 partial"}),
            ),
        ),
    ),
)

IN_OTHER_HANDS = (
    Case(
        name="split-holders",
        why="one part of the task for the account, the others for two of its groups",
        objects=(lab_group("grp-deletes"), lab_group("grp-manages")),
        memberships=(
            Membership(group="grp-deletes", member="svc-split-holders"),
            Membership(group="grp-manages", member="svc-split-holders"),
        ),
        targets=(
            target(
                SATISFIED,
                "each trustee is in the token",
                place(
                    "OU=split-holders",
                    BOTH,
                    "(OA;CI;CC;{user};;{account})",
                    *given_to("grp-deletes", "(OA;CI;DC;{user};;{account})"),
                    *given_to("grp-manages", MANAGE),
                ),
            ),
        ),
    ),
    Case(
        name="mailed",
        why="a group for mail is in no token, nor is what it is a member of",
        objects=(
            distribution_group(f"CN=list-mailed,{GROUPS}", "list-mailed"),
            domain_local_group(f"CN=grp-mailed,{GROUPS}", "grp-mailed"),
        ),
        memberships=(
            Membership(group="list-mailed", member="svc-mailed"),
            Membership(group="grp-mailed", member="list-mailed"),
        ),
        targets=(
            target(
                MISSING,
                "delegated to the group for mail",
                place("OU=mailed", NEITHER, *given_to("list-mailed", *USER_TASK)),
            ),
            target(
                MISSING,
                "delegated to a security group behind it",
                place("OU=mailed-behind", NEITHER, *given_to("grp-mailed", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="makers",
        why="full control for whoever made a user, which is not everybody who may make one",
        targets=(
            target(
                PARTIAL,
                "CREATOR OWNER",
                place("OU=makers", CREATE, CREATE_AND_DELETE, *given_to(CREATOR_OWNER, MANAGE)),
                findings=cannot(*range(3, 10)),
            ),
        ),
    ),
    Case(
        name="sessions",
        why="delegated to how somebody signs in: over the network, which the product does, or in another way",
        targets=(
            target(
                MISSING,
                "INTERACTIVE, BATCH and ANONYMOUS LOGON are in no token of the product",
                place(
                    "OU=sessions",
                    NEITHER,
                    *(ace for sid in ("S-1-5-4", "S-1-5-3", "S-1-5-7") for ace in given_to(sid, *USER_TASK)),
                ),
            ),
        ),
    ),
    Case(
        name="owns-target",
        why="it owns the OU: it may give itself the task and does not have it",
        access_changes=(AccessChange(dn=f"OU=owned-target,{TARGETS}", owner="svc-owns-target"),),
        targets=(
            target(
                PARTIAL,
                "changing permissions is more than reading",
                bare("OU=owned-target"),
                findings=may(2) | cannot(*range(2, 10)),
            ),
        ),
    ),
)

PART_OF_THE_TASK = (
    Case(
        name="nothing",
        why="reading is not delegation",
        targets=(
            target(MISSING, "no ACE for the account", bare("OU=nothing")),
            target(
                MISSING,
                "only 'Read all user information'",
                place("OU=reads", NEITHER, "(OA;CIIO;RP;;{user};{account})"),
            ),
        ),
    ),
    Case(
        name="denied",
        why="denies defeat part of the whole task",
        objects=(lab_group("grp-denied"),),
        memberships=(Membership(group="grp-denied", member="svc-denied"),),
        excess_groups=frozenset({"grp-denied"}),
        targets=(
            target(
                PARTIAL,
                "the account may not create users",
                place("OU=denied", CONTROL, "(OD;CI;CC;{user};;{account})", *USER_TASK),
                findings=cannot(9) | {"AD-DEL-018 partial"},
            ),
            target(
                PARTIAL,
                "a group of the account may not create users",
                place(
                    "OU=denied-group",
                    CONTROL,
                    *given_to("grp-denied", "(OD;CI;CC;{user};;{account})"),
                    *USER_TASK,
                ),
                findings=cannot(9) | {"AD-DEL-018 partial"},
            ),
            target(
                PARTIAL,
                "the account may not reset passwords, so its control of users is not full",
                place(
                    "OU=denied-reset",
                    BOTH,
                    "(OD;CIIO;CR;{User-Force-Change-Password};{user};{account})",
                    *USER_TASK,
                ),
                findings=cannot(4) | {"AD-DEL-018 partial"},
            ),
        ),
    ),
    Case(
        name="denied-in-part",
        why="denies that leave full control of users less than full",
        targets=(
            target(
                PARTIAL,
                "everybody is denied one extended right on users",
                place("OU=denied-everybody", BOTH, "(OD;CIIO;CR;{User-Change-Password};{user};WD)", *USER_TASK),
                findings=frozenset({"AD-DEL-018 partial"}),
            ),
            target(
                PARTIAL,
                "a property set may not be written",
                place(
                    "OU=denied-set", BOTH, "(OD;CIIO;WP;{User-Account-Restrictions};{user};{account})", *USER_TASK
                ),
                findings=cannot(5, 6) | {"AD-DEL-018 partial"},
            ),
            target(
                SATISFIED,
                "each user is denied to change the own password, which takes nothing from the account",
                place("OU=denied-self", BOTH, "(OD;CIIO;CR;{User-Change-Password};{user};PS)", *USER_TASK),
            ),
            target(
                PARTIAL,
                "an OU below denies what the target grants",
                delegated("OU=denied-below"),
                place("OU=sub", CONTROL, "(OD;CI;CC;{user};;{account})"),
                findings=cannot(9) | {"AD-DEL-018 partial"},
            ),
        ),
    ),
    Case(
        name="deny-last",
        why="the order in which ACEs are stored decides, not the usual order",
        targets=(
            target(
                SATISFIED,
                "the deny stands after the allow that already decided",
                place("OU=deny-last", BOTH, *USER_TASK, "(OD;CI;CC;{user};;{account})"),
            ),
        ),
    ),
    Case(
        name="inherit-only",
        why="an inherit-only ACE does not work on the object that carries it",
        targets=(
            target(
                PARTIAL,
                "creates users in OUs below, not in the OU",
                place("OU=inherit-only", CONTROL, "(OA;CIIO;CCDC;{user};;{account})", MANAGE),
                place("OU=deeper", BOTH),
                findings=cannot(9),
            ),
        ),
    ),
    Case(
        name="object-inherit",
        why="object inheritance reaches no child in a directory, where every object is a container",
        targets=(
            target(
                PARTIAL,
                "creates users and holds nothing on them",
                place("OU=object-inherit", CREATE, CREATE_AND_DELETE, "(OA;OIIO;GA;;{user};{account})"),
                findings=cannot(*range(3, 10)),
            ),
        ),
    ),
    Case(
        name="wrong-class",
        why="the task, but for another class of objects",
        targets=(
            target(
                MISSING,
                "computers",
                place(
                    "OU=computers",
                    NEITHER,
                    "(OA;CI;CCDC;{computer};;{account})",
                    "(OA;CIIO;GA;;{computer};{account})",
                ),
                findings=may(7, 9, 21),
            ),
            target(
                MISSING,
                "inetOrgPerson, which is a class of its own",
                place(
                    "OU=inet-org-persons",
                    NEITHER,
                    "(OA;CI;CCDC;{inetOrgPerson};;{account})",
                    "(OA;CIIO;GA;;{inetOrgPerson};{account})",
                ),
                findings=may(21),
            ),
            target(
                MISSING,
                "groups",
                place(
                    "OU=groups", NEITHER, "(OA;CI;CCDC;{group};;{account})", "(OA;CIIO;GA;;{group};{account})"
                ),
                findings=may(21),
            ),
        ),
    ),
    Case(
        name="other-tasks",
        why="other common tasks of the delegation wizard",
        targets=(
            target(
                PARTIAL,
                "'Reset user passwords and force password change at next logon'",
                place(
                    "OU=resets",
                    NEITHER,
                    "(OA;CIIO;CR;{User-Force-Change-Password};{user};{account})",
                    "(OA;CIIO;RPWP;{pwdLastSet};{user};{account})",
                ),
                findings=cannot(2, 3, 6, 7, 8, 9),
            ),
            target(
                MISSING,
                "'Modify the membership of a group' holds nothing of users",
                place("OU=members", NEITHER, "(OA;CIIO;RPWP;{member};{group};{account})"),
                findings=may(21),
            ),
        ),
    ),
    Case(
        name="some-rights",
        why="some rights of the task",
        targets=(
            target(
                PARTIAL,
                "creates only",
                place("OU=creates", CREATE, "(OA;CI;CC;{user};;{account})"),
                findings=cannot(*range(2, 10)),
            ),
            target(
                PARTIAL,
                "creates and manages, but may not delete children",
                place("OU=keeps", BOTH, "(OA;CI;CC;{user};;{account})", MANAGE),
            ),
            target(
                PARTIAL,
                "manages only",
                place("OU=manages", CONTROL, MANAGE),
                findings=cannot(9),
            ),
            target(
                PARTIAL,
                "writes all properties, which is less than full control",
                place("OU=writes", CREATE, CREATE_AND_DELETE, "(OA;CIIO;RPWP;;{user};{account})"),
                findings=cannot(4),
            ),
        ),
    ),
    Case(
        name="null-dacl",
        why="without a DACL everyone may do everything to the OU, and the users below inherit nothing",
        targets=(
            target(
                PARTIAL,
                "creates users and holds nothing on them",
                place("OU=null-dacl", CREATE, dacl=Dacl.NULL),
                findings=may(*EVERYTHING) | cannot(*range(3, 10), 13),
            ),
        ),
    ),
)
