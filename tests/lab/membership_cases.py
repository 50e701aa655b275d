"""Cases of how the account gets its rights: Domain Admins, other groups; and odd accounts and names."""

from __future__ import annotations

from auditor.model.outcome import Outcome
from tests.lab.cases import BOTH, GROUPS, NEITHER, Case, lab_group, service_account_dn
from tests.lab.estate import AccessChange, AttributeChange, Membership, domain_local_group, group
from tests.lab.user_task import USER_TASK, bare, delegated, given_to, place, target

SATISFIED, MISSING, UNVERIFIABLE = Outcome.SATISFIED, Outcome.MISSING, Outcome.UNVERIFIABLE
EVERYONE, AUTHENTICATED_USERS = "S-1-1-0", "S-1-5-11"
PRE_WINDOWS_2000_ACCESS = "S-1-5-32-554"
DOMAIN_ADMINS_RID = "512"
MAY_BE_DELEGATED = "AD-KRB-005 advisory medium"
NOT_GUARDED = "AD-CTL-001 advisory medium"  # nothing in the lab does what SDProp does by itself
# What the class of users lets nobody but administrators read, once inheritance is cut off
WITHHELD = frozenset(
    f"{check} unverifiable medium"
    for check in (
        "AD-ACC-002",
        "AD-ACC-003",
        "AD-ACC-005",
        "AD-ACC-006",
        "AD-ACC-007",
        "AD-ACC-009",
        "AD-CTL-002",
        "AD-KRB-002",
        "AD-KRB-003",
        "AD-KRB-004",
    )
)


def in_domain_admins(name: str) -> Membership:
    """Put an account or group into Domain Admins."""
    return Membership(group="Domain Admins", member=name)


IN_DOMAIN_ADMINS = (
    Case(
        name="da-only",
        why="Domain Admins hold rights on every OU, which is no delegation",
        account_findings=frozenset({NOT_GUARDED, MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        memberships=(in_domain_admins("svc-da-only"),),
        targets=(target(MISSING, "every right comes from Domain Admins", bare("OU=da-only")),),
    ),
    Case(
        name="da-exact",
        why="both documented rights, as AdminSDHolder leaves the account",
        account_findings=frozenset({MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        memberships=(in_domain_admins("svc-da-exact"),),
        guarded=True,
        targets=(target(SATISFIED, "both ACEs", delegated("OU=da-exact")),),
    ),
    Case(
        name="da-nested",
        why="a member of Domain Admins over two groups",
        account_findings=frozenset({MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        objects=(lab_group("grp-da-outer"), lab_group("grp-da-inner")),
        memberships=(
            in_domain_admins("grp-da-outer"),
            Membership(group="grp-da-outer", member="grp-da-inner"),
            Membership(group="grp-da-inner", member="svc-da-nested"),
        ),
        guarded=True,
        targets=(target(SATISFIED, "both ACEs", delegated("OU=da-nested")),),
    ),
    Case(
        name="da-primary",
        why="Domain Admins as primary group, which no member list shows",
        account_findings=frozenset({NOT_GUARDED, MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        memberships=(in_domain_admins("svc-da-primary"),),
        attribute_changes=(
            AttributeChange(name="svc-da-primary", attribute="primaryGroupID", values=(DOMAIN_ADMINS_RID,)),
        ),
        targets=(target(MISSING, "every right comes from Domain Admins", bare("OU=da-primary")),),
    ),
    Case(
        name="da-delegated",
        why="the group that leads to Domain Admins carries the delegation itself",
        account_findings=frozenset({NOT_GUARDED, MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        objects=(lab_group("grp-da-delegated"),),
        memberships=(
            in_domain_admins("grp-da-delegated"),
            Membership(group="grp-da-delegated", member="svc-da-delegated"),
        ),
        targets=(
            target(
                SATISFIED,
                "the account stays in the group when the group leaves Domain Admins",
                place("OU=da-delegated", BOTH, *given_to("grp-da-delegated", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="behind-da",
        why="delegated to a group reached only through Domain Admins",
        account_findings=frozenset({NOT_GUARDED, MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        objects=(lab_group("grp-behind-da"),),
        memberships=(
            in_domain_admins("svc-behind-da"),
            Membership(group="grp-behind-da", member="Domain Admins"),
        ),
        targets=(
            target(
                MISSING,
                "who leaves Domain Admins leaves the group as well",
                place("OU=behind-da", NEITHER, *given_to("grp-behind-da", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="closed",
        why="the auditor may not read which groups the account is in",
        account_findings=WITHHELD,
        domain_admins=UNVERIFIABLE,
        objects=(lab_group("grp-closed"),),
        memberships=(in_domain_admins("svc-closed"), Membership(group="grp-closed", member="svc-closed")),
        access_changes=(AccessChange(dn=service_account_dn("svc-closed"), protected=True),),
        targets=(
            target(SATISFIED, "both ACEs name the account, and nothing is denied", delegated("OU=closed")),
            target(
                UNVERIFIABLE,
                "both ACEs name a group whose members are not known",
                place("OU=closed-group", BOTH, *given_to("grp-closed", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="was-admin",
        why="adminCount stays behind when an account leaves Domain Admins; it proves nothing",
        account_findings=frozenset({"AD-CTL-002 advisory low"}),
        guarded=True,
        targets=(target(SATISFIED, "both ACEs", delegated("OU=was-admin")),),
    ),
)

THROUGH_GROUPS = (
    Case(
        name="via-group",
        why="delegated to a group that contains the account over another group",
        objects=(lab_group("grp-via-outer"), lab_group("grp-via-inner")),
        memberships=(
            Membership(group="grp-via-outer", member="grp-via-inner"),
            Membership(group="grp-via-inner", member="svc-via-group"),
        ),
        targets=(
            target(
                SATISFIED,
                "both ACEs name the outer group",
                place("OU=via-group", BOTH, *given_to("grp-via-outer", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="loop",
        why="groups that contain each other",
        objects=(lab_group("grp-loop-a"), lab_group("grp-loop-b")),
        memberships=(
            Membership(group="grp-loop-a", member="grp-loop-b"),
            Membership(group="grp-loop-b", member="grp-loop-a"),
            Membership(group="grp-loop-a", member="svc-loop"),
        ),
        targets=(
            target(
                SATISFIED,
                "both ACEs name the far group",
                place("OU=loop", BOTH, *given_to("grp-loop-b", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="operator",
        why="Account Operators may create users in every OU by default, which is no delegation",
        account_findings=frozenset({NOT_GUARDED}),
        memberships=(Membership(group="Account Operators", member="svc-operator"),),
        excess_groups=frozenset({"Account Operators"}),
        targets=(
            target(MISSING, "only the default ACEs of an OU", bare("OU=operator")),
            target(
                MISSING,
                "the whole task, given to Account Operators",
                place("OU=operators", NEITHER, *given_to("Account Operators", *USER_TASK)),
            ),
        ),
    ),
    Case(
        name="prints",
        why="what Windows lets Print Operators do on every OU is no delegation of this account's",
        account_findings=frozenset({NOT_GUARDED}),
        memberships=(Membership(group="Print Operators", member="svc-prints"),),
        excess_groups=frozenset({"Print Operators"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=prints")),),
    ),
    Case(
        name="both-admins",
        why="in Administrators by itself as well, which is no part of Domain Admins then",
        account_findings=frozenset({NOT_GUARDED, MAY_BE_DELEGATED}),
        domain_admins=SATISFIED,
        memberships=(in_domain_admins("svc-both-admins"), Membership(group="Administrators", member="svc-both-admins")),
        excess_groups=frozenset({"Administrators"}),
        targets=(target(MISSING, "every right comes from administration", bare("OU=both-admins")),),
    ),
    Case(
        name="well-known",
        why="delegated to everyone who signs in",
        targets=(
            target(
                SATISFIED,
                "Authenticated Users",
                place("OU=authenticated", BOTH, *given_to(AUTHENTICATED_USERS, *USER_TASK)),
            ),
            target(SATISFIED, "Everyone", place("OU=everyone", BOTH, *given_to(EVERYONE, *USER_TASK))),
            target(
                SATISFIED,
                "a built-in group that contains Authenticated Users from the start",
                place("OU=pre-windows-2000", BOTH, *given_to(PRE_WINDOWS_2000_ACCESS, *USER_TASK)),
            ),
            target(
                SATISFIED,
                "a group whose member is Authenticated Users",
                place("OU=world", BOTH, *given_to("grp-world", *USER_TASK)),
            ),
        ),
        objects=(domain_local_group(f"CN=grp-world,{GROUPS}", "grp-world"),),
        memberships=(Membership(group="grp-world", member=AUTHENTICATED_USERS),),
    ),
    Case(
        name="excess",
        why="groups that nothing documents, one of them privileged and reached over another",
        account_findings=frozenset({NOT_GUARDED}),
        objects=(lab_group("grp-night-shift"), lab_group("grp-canteen")),
        memberships=(
            Membership(group="Backup Operators", member="grp-night-shift"),
            Membership(group="grp-night-shift", member="svc-excess"),
            Membership(group="grp-canteen", member="svc-excess"),
        ),
        excess_groups=frozenset({"Backup Operators", "grp-night-shift", "grp-canteen"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=excess")),),
    ),
)

ODD_ACCOUNTS_AND_NAMES = (
    Case(
        name="disabled",
        why="a disabled account holds its rights and cannot use them",
        account_findings=frozenset({"AD-ACC-002 advisory high"}),
        enabled=False,
        targets=(target(SATISFIED, "both ACEs", place("OU=disabled", BOTH, *USER_TASK)),),
    ),
    Case(
        name="names",
        why="names that break DNs, filters, markup and spreadsheets",
        objects=(group(rf"CN=\#1 \<b\>H\, R\</b\> (\"*\") \+ friends\ ,{GROUPS}", "grp-names"),),
        memberships=(Membership(group="grp-names", member="svc-names"),),
        targets=tuple(
            target(
                SATISFIED,
                "both ACEs name a group with such a name",
                place(f"OU={name}", BOTH, *given_to("grp-names", *USER_TASK)),
            )
            for name in (
                r"Staff\, North",
                r"\"Quoted\" \+ back\\slash \= semi\;colon",
                r"\# hash and (parentheses*)",
                r"\ spaces around\ ",
                "\u200fright\u202eto left",
                r"\<script\>alert(1)\</script\>",
                r"\=HYPERLINK(\"http://example.com\"\,\"x\")",
                r"line\0Abreak",
                "Zoë 🏢 Büro",
            )
        ),
    ),
)
