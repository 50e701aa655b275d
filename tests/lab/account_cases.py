"""Cases of accounts that are exposed, that others control, or that can change themselves."""

from __future__ import annotations

from auditor.model.outcome import Outcome
from tests.lab.cases import BOTH, GROUPS, SERVICE_ACCOUNTS, Case, Target, lab_group, service_account_dn
from tests.lab.estate import AccessChange, AttributeChange, Membership
from tests.lab.membership_cases import WITHHELD
from tests.lab.user_task import USER_TASK, delegated, given_to, place, target

SATISFIED, MISSING = Outcome.SATISFIED, Outcome.MISSING
NORMAL_ACCOUNT, DONT_EXPIRE_PASSWORD = 0x200, 0x10000  # userAccountControl, MS-ADTS 2.2.16
TRUSTED_FOR_DELEGATION, TRUSTED_TO_AUTHENTICATE = 0x80000, 0x1000000
USE_DES_KEY_ONLY, DONT_REQUIRE_PREAUTH = 0x200000, 0x400000


def changed(case: str, attribute: str, *values: str | int) -> AttributeChange:
    """Give the account of a case other values."""
    return AttributeChange(name=f"svc-{case}", attribute=attribute, values=tuple(map(str, values)))


EXPOSED = (
    Case(
        name="roastable",
        why="service principal names, DES keys only and no pre-authentication: its password can be guessed offline",
        attribute_changes=(
            changed("roastable", "servicePrincipalName", "HTTP/h2r", "HTTP/h2r.corp.example.com"),
            changed(
                "roastable",
                "userAccountControl",
                NORMAL_ACCOUNT | DONT_EXPIRE_PASSWORD | USE_DES_KEY_ONLY | DONT_REQUIRE_PREAUTH,
            ),
        ),
        account_findings=frozenset(
            {"AD-ACC-006 advisory medium", "AD-ACC-007 advisory high", "AD-KRB-001 advisory high"}
        ),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=roastable")),),
    ),
    Case(
        name="delegating",
        why="trusted for delegation in both ways, onto the key distribution centre",
        attribute_changes=(
            changed(
                "delegating", "userAccountControl", NORMAL_ACCOUNT | TRUSTED_FOR_DELEGATION | TRUSTED_TO_AUTHENTICATE
            ),
            changed("delegating", "msDS-AllowedToDelegateTo", "krbtgt/CORP.EXAMPLE.COM"),
        ),
        account_findings=frozenset({"AD-KRB-002 advisory critical", "AD-KRB-003 advisory critical"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=delegating")),),
    ),
    Case(
        name="person",
        why="somebody's own account, with a password in a text that everybody reads",
        attribute_changes=(
            changed("person", "mail", "robin@corp.example.com"),
            changed("person", "employeeID", "4711"),
            changed("person", "description", "H2R bind, password: Winter2024!"),
        ),
        account_findings=frozenset({"AD-ACC-003 advisory medium", "AD-KRB-009 advisory high"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=person")),),
    ),
    Case(
        name="veiled",
        why="the permissions of its class alone, which withhold part of what is set",
        domain_admins=Outcome.UNVERIFIABLE,  # tokenGroups is withheld as well
        access_changes=(AccessChange(dn=service_account_dn("svc-veiled"), protected=True),),
        attribute_changes=(
            changed("veiled", "userAccountControl", NORMAL_ACCOUNT | TRUSTED_FOR_DELEGATION),
            changed("veiled", "mail", "robin@corp.example.com"),
            changed("veiled", "employeeID", "4711"),
            changed("veiled", "description", "H2R bind, password: Winter2024!"),
            changed("veiled", "info", "see the wiki"),
            changed("veiled", "comment", "see the wiki"),
            changed("veiled", "adminCount", 1),
            changed("veiled", "servicePrincipalName", "HTTP/veiled"),
            changed("veiled", "msDS-AllowedToDelegateTo", "cifs/files"),
            changed("veiled", "sIDHistory", "S-1-5-21-9-9-9-1105"),
        ),
        account_findings=WITHHELD
        | {
            "AD-ACC-003 advisory medium",
            "AD-ACC-013 advisory high",
            "AD-KRB-001 advisory high",
            "AD-KRB-003 advisory high",
            "AD-KRB-009 advisory high",
        },
        targets=(target(SATISFIED, "both ACEs", delegated("OU=veiled")),),
    ),
    Case(
        name="former",
        why="the SID of a former identity",
        attribute_changes=(changed("former", "sIDHistory", "S-1-5-21-9-9-9-1104"),),
        account_findings=frozenset({"AD-ACC-013 advisory high"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=former")),),
    ),
    Case(
        name="ending",
        why="disabled and expired, and its password must be changed before anybody signs in",
        enabled=False,
        attribute_changes=(changed("ending", "accountExpires", 1), changed("ending", "pwdLastSet", 0)),
        account_findings=frozenset({"AD-ACC-002 advisory high", "AD-ACC-005 advisory medium"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=ending")),),
    ),
)

CONTROLLED = (
    Case(
        name="controlled",
        why="a helpdesk resets its password and changes the members of the group that carries its delegation",
        objects=(lab_group("grp-helpdesk"), lab_group("grp-controlled")),
        memberships=(Membership(group="grp-controlled", member="svc-controlled"),),
        access_changes=(
            AccessChange(
                dn=service_account_dn("svc-controlled"),
                aces=("(OA;;CR;{User-Force-Change-Password};;{sid:grp-helpdesk})",),
            ),
            AccessChange(dn=f"CN=grp-controlled,{GROUPS}", aces=("(OA;;RPWP;{member};;{sid:grp-helpdesk})",)),
        ),
        account_findings=frozenset({"AD-CTL-003 advisory critical", "AD-CTL-004 advisory high"}),
        targets=(
            target(SATISFIED, "both ACEs", place("OU=controlled", BOTH, *given_to("grp-controlled", *USER_TASK))),
        ),
    ),
    Case(
        name="denied-helpdesk",
        why="the helpdesk's right is denied to everybody first",
        access_changes=(
            AccessChange(
                dn=service_account_dn("svc-denied-helpdesk"),
                aces=(
                    "(OD;;CR;{User-Force-Change-Password};;WD)",
                    "(OA;;CR;{User-Force-Change-Password};;{sid:grp-helpdesk})",
                ),
            ),
        ),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=denied-helpdesk")),),
    ),
    Case(
        name="owned",
        why="whoever made the account owns it and changes its permissions",
        access_changes=(AccessChange(dn=service_account_dn("svc-owned"), owner="grp-helpdesk"),),
        account_findings=frozenset({"AD-CTL-003 advisory critical", "AD-CTL-005 advisory medium"}),
        targets=(target(SATISFIED, "both ACEs", delegated("OU=owned")),),
    ),
    Case(
        name="self-made",
        why="it changes the members of a group it is in",
        objects=(lab_group("grp-self-made"),),
        memberships=(Membership(group="grp-self-made", member="svc-self-made"),),
        access_changes=(
            AccessChange(dn=f"CN=grp-self-made,{GROUPS}", aces=("(OA;;RPWP;{member};;{sid:svc-self-made})",)),
        ),
        account_findings=frozenset({"AD-CTL-008 excess critical"}),
        targets=(target(SATISFIED, "both ACEs", place("OU=self-made", BOTH, *given_to("grp-self-made", *USER_TASK))),),
    ),
    Case(
        name="inside",
        why="it lies in an OU that it is to manage",
        account_findings=frozenset({"AD-CTL-008 excess critical"}),
        targets=(Target(dn=SERVICE_ACCOUNTS, delegation=MISSING, why="nothing is delegated there"),),
    ),
)
