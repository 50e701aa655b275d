"""Cases of rights that go further than the user task: on the target OUs, beside them, and on tier-0 objects."""

from __future__ import annotations

from auditor.model.outcome import Outcome
from tests.lab.cases import BOTH, TARGETS, Case, Target, lab_group
from tests.lab.estate import AccessChange, AttributeChange, DirectoryObject, Membership, organizational_unit
from tests.lab.user_task import EVERYTHING, USER_TASK, delegated, given_to, may, place, target

SATISFIED = Outcome.SATISFIED
BESIDE, SHARED = f"OU=beside,{TARGETS}", f"OU=shared,{TARGETS}"
ADMIN_SD_HOLDER, POLICIES = "CN=AdminSDHolder,CN=System", "CN=Policies,CN=System"
DOMAIN_CONTROLLERS, CONTROLLER = "OU=Domain Controllers", "CN=DC1,OU=Domain Controllers"
SCHEMA_ADMINS, KRBTGT = "CN=Schema Admins,CN=Users", "CN=krbtgt,CN=Users"
ADMINISTRATOR = "CN=Administrator,CN=Users"
WHO_RETRIEVES = "msDS-GroupMSAMembership"
REPLICATION = (
    "(OA;;CR;{DS-Replication-Get-Changes};;{account})",
    "(OA;;CR;{DS-Replication-Get-Changes-All};;{account})",
)


def beyond(why: str, name: str, *aces: str, findings: frozenset[str]) -> Target:
    """Describe a target OU with the user task, and with more in front of it."""
    return target(SATISFIED, why, place(f"OU={name}", BOTH, *aces, *USER_TASK), findings=findings)


def service(name: str) -> DirectoryObject:
    """Describe a group managed service account."""
    workstation_trust = 0x1000  # userAccountControl, MS-ADTS 2.2.16
    return DirectoryObject(
        dn=f"CN={name},CN=Managed Service Accounts",
        object_class="msDS-GroupManagedServiceAccount",
        attributes={
            "sAMAccountName": (f"{name}$",),
            "dNSHostName": (f"{name}.{{domain}}",),
            "userAccountControl": (str(workstation_trust),),
            "msDS-ManagedPasswordInterval": ("30",),
        },
    )


BEYOND_THE_TASK = (
    Case(
        name="beyond",
        why="the user task and one more right on each OU",
        access_changes=(AccessChange(dn=f"OU=owns,{TARGETS}", owner="svc-beyond"),),
        findings_elsewhere={f"OU=others,{TARGETS}": may(12)},  # of the next case
        targets=(
            beyond("full control of the OU", "controls", "(A;;GA;;;{account})", findings=may(*EVERYTHING)),
            beyond("changes permissions", "changes-permissions", "(A;;WD;;;{account})", findings=may(2)),
            beyond("changes the owner", "changes-owner", "(A;;WO;;;{account})", findings=may(2)),
            beyond("owns the OU", "owns", findings=may(2)),
            beyond("writes every attribute", "writes-all", "(A;;WP;;;{account})", findings=may(3, 6)),
            beyond("every extended right", "extended-rights", "(A;;CR;;;{account})", findings=may(4)),
            beyond("creates everything", "creates-all", "(A;CI;CC;;;{account})", findings=may(5, 21)),
            beyond("links policies", "links-policies", "(OA;;WP;{gPLink};;{account})", findings=may(6)),
            beyond(
                "writes principal names of computers",
                "names-services",
                "(OA;CIIO;WP;{servicePrincipalName};{computer};{account})",
                findings=may(7),
            ),
            beyond(
                "a property set of computers, with who acts on their behalf in it",
                "restricts-accounts",
                "(OA;CIIO;WP;{User-Account-Restrictions};{computer};{account})",
                findings=may(9),
            ),
            beyond("creates groups", "creates-groups", "(OA;CI;CCDC;{group};;{account})", findings=may(21)),
            beyond(
                "manages groups below, which no right on the OU itself tells",
                "manages-groups",
                "(OA;CIIO;GA;;{group};{account})",
                findings=may(21),
            ),
            beyond("deletes the OU", "deletes-itself", "(A;;SD;;;{account})", findings=may(21)),
        ),
    ),
    Case(
        name="not-beyond",
        why="entries that look like more than the user task and are not",
        targets=(
            beyond("denied before", "denied-first", "(D;;WD;;;{account})", "(A;;WD;;;{account})", findings=may()),
            beyond("reading everything", "reads-all", "(A;CI;GR;;;{account})", findings=may()),
            beyond(
                "principal names of users are part of their full control",
                "names-users",
                "(OA;CIIO;WP;{servicePrincipalName};{user};{account})",
                findings=may(),
            ),
            beyond("for nobody below", "waits-in-vain", "(A;IO;GA;;;{account})", findings=may()),
            beyond("for somebody else", "others", "(A;CI;GA;;;{sid:svc-beyond})", findings=may()),
            beyond("for the owner, who is another", "owner-rights", "(A;;GA;;;OW)", findings=may()),
            beyond("an account that was deleted", "orphaned", "(A;;WD;;;{rid:9999})", findings=may(18)),
            beyond(
                "an account of another domain, which only that domain knows",
                "foreign",
                "(A;;WD;;;S-1-5-21-1-2-3-1234)",
                findings=frozenset({"AD-PRV-018 unverifiable"}),
            ),
        ),
    ),
)

BESIDE_THE_TARGETS = (
    Case(
        name="beside",
        why="delegated on OUs that are no targets, to the account and to a group of it",
        objects=(lab_group("grp-beside"), organizational_unit(BESIDE), organizational_unit(SHARED)),
        memberships=(Membership(group="grp-beside", member="svc-beside"),),
        access_changes=(
            AccessChange(dn=BESIDE, aces=given_to("svc-beside", *USER_TASK)),
            AccessChange(dn=SHARED, aces=given_to("grp-beside", "(OA;CIIO;GA;;{computer};{account})")),
        ),
        excess_groups=frozenset({"grp-beside"}),
        findings_elsewhere={BESIDE: may(12), SHARED: may(12), service("neither").dn: may(14)},
        targets=(target(SATISFIED, "both ACEs", delegated("OU=not-beside")),),
    ),
    Case(
        name="replicates",
        why="a group of the account replicates the secrets of the domain",
        objects=(lab_group("grp-replicates"),),
        memberships=(Membership(group="grp-replicates", member="svc-replicates"),),
        access_changes=(AccessChange(dn="", aces=given_to("grp-replicates", *REPLICATION)),),
        excess_groups=frozenset({"grp-replicates"}),
        findings_elsewhere={"": may(10, 13)},
        targets=(target(SATISFIED, "both ACEs", delegated("OU=replicates")),),
    ),
    Case(
        name="retrieves",
        why="retrieves the password of one service account, and says who retrieves that of another",
        objects=(service("listed"), service("written"), service("neither")),
        attribute_changes=(
            AttributeChange(
                name="listed$", attribute=WHO_RETRIEVES, values=("O:BAD:(A;;GA;;;{sid:svc-retrieves})",)
            ),
            AttributeChange(name="written$", attribute=WHO_RETRIEVES, values=("O:BAD:(A;;GA;;;DA)",)),
            AttributeChange(name="neither$", attribute=WHO_RETRIEVES, values=("O:BAD:(A;;GA;;;{sid:svc-beside})",)),
        ),
        access_changes=(
            AccessChange(
                dn=service("written").dn,
                aces=given_to("svc-retrieves", "(OA;;WP;{msDS-GroupMSAMembership};;{account})"),
            ),
        ),
        findings_elsewhere={service("listed").dn: may(14), service("written").dn: may(14)},
        targets=(target(SATISFIED, "both ACEs", delegated("OU=retrieves")),),
    ),
    Case(
        name="racks",
        why="a group of the account controls the computer that is the domain controller",
        objects=(lab_group("grp-racks"),),
        memberships=(Membership(group="grp-racks", member="svc-racks"),),
        access_changes=(AccessChange(dn=CONTROLLER, aces=given_to("grp-racks", "(A;;GA;;;{account})")),),
        excess_groups=frozenset({"grp-racks"}),
        findings_elsewhere={CONTROLLER: may(11)},
        targets=(target(SATISFIED, "both ACEs", delegated("OU=racks")),),
    ),
    Case(
        name="tier-zero",
        why="controls domain controllers, a privileged group, Administrator and the key of the domain; makes policies",
        access_changes=(
            # Handed on to every guarded account, where it lets nobody take the account over
            AccessChange(dn=ADMIN_SD_HOLDER, aces=given_to("svc-tier-zero", "(OA;;WP;{description};;{account})")),
            AccessChange(dn=POLICIES, aces=given_to("svc-tier-zero", "(OA;CI;CC;{groupPolicyContainer};;{account})")),
            AccessChange(dn=DOMAIN_CONTROLLERS, aces=given_to("svc-tier-zero", "(A;CI;GA;;;{account})")),
            AccessChange(dn=SCHEMA_ADMINS, aces=given_to("svc-tier-zero", "(OA;;WP;{member};;{account})")),
            AccessChange(
                dn=KRBTGT, aces=given_to("svc-tier-zero", "(OA;;CR;{User-Force-Change-Password};;{account})")
            ),
            AccessChange(
                dn=ADMINISTRATOR, aces=given_to("svc-tier-zero", "(OA;;CR;{User-Force-Change-Password};;{account})")
            ),
        ),
        findings_elsewhere={
            ADMIN_SD_HOLDER: may(11, 12),
            POLICIES: may(11, 12),
            DOMAIN_CONTROLLERS: may(11, 12),
            CONTROLLER: may(11),
            SCHEMA_ADMINS: may(11),
            KRBTGT: may(11),
            ADMINISTRATOR: may(11),
        },
        targets=(target(SATISFIED, "both ACEs", delegated("OU=tier-zero")),),
    ),
)
