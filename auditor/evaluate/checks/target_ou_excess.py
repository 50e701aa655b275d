"""AD-PRV-001 to 009, 014, 021: rights on the target OUs and below that go further than the user task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from auditor.acl import FULL_CONTROL, AccessMask, Token
from auditor.evaluate.directory.grants import (
    Place,
    aces_granting,
    aces_granting_below,
    describe_places,
    grants_on,
    path_to_ace,
    places_where,
)
from auditor.evaluate.directory.user_task import USER_CLASS
from auditor.evaluate.findings import make_finding
from auditor.evaluate.remediation import revoke
from auditor.model.outcome import FindingOutcome, Severity
from auditor.model.results import EvidenceReference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auditor.acl import Ace, SecurityDescriptor
    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.schema import DirectorySchema
    from auditor.evaluate.directory.subtree import Subtree
    from auditor.model.results import Finding

    Question: TypeAlias = Callable[[SecurityDescriptor], tuple[Ace, ...] | None]

_DELEGATED_SERVICE_ACCOUNT = "msDS-DelegatedManagedServiceAccount"
_CHILD_RIGHTS = AccessMask.CREATE_CHILD | AccessMask.DELETE_CHILD
_LOCAL_ADMINISTRATOR_PASSWORDS = ("ms-Mcs-AdmPwd", "msLAPS-Password", "msLAPS-EncryptedPassword")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Excess:
    """One right beyond the task: the check that tells it, how grave it is, and the question to each container."""

    check: str
    severity: Severity
    held: str
    question: Question


def check_target_ou_excess(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report each right beyond the user task once per target OU, with the containers where it is held."""
    membership = facts.account.membership
    if membership is None:
        return
    token = Token(membership.without_domain_admins)
    for ou, delegated in facts.delegations.items():
        if delegated.subtree is None:
            continue
        for excess in (*_on_the_ou(facts.schema, token), *_on_computers_below(facts.schema, token)):
            places = places_where(delegated.subtree.alike(token), excess.question)
            if places:
                yield _finding(facts, membership, ou, excess, places)
        yield from _other_features(facts, membership, ou, delegated.subtree, token)


def _on_the_ou(schema: DirectorySchema, token: Token) -> Iterator[_Excess]:
    def everything(rights: AccessMask) -> Question:
        return lambda descriptor: aces_granting(descriptor, token, rights)

    def attribute(name: str) -> Question:
        types = schema.object_types(name, "organizationalUnit")
        return lambda descriptor: aces_granting(descriptor, token, AccessMask.WRITE_PROPERTY, types)

    high = Severity.HIGH
    yield _Excess(check="AD-PRV-001", severity=high, held="full control", question=everything(FULL_CONTROL))
    yield _Excess(
        check="AD-PRV-002",
        severity=high,
        held="changing permissions or owner",
        question=_any_of(
            everything(AccessMask.WRITE_DAC),
            everything(AccessMask.WRITE_OWNER),
            lambda descriptor: () if descriptor.owner in token.sids else None,
        ),
    )
    yield _Excess(
        check="AD-PRV-003",
        severity=high,
        held="writing every attribute",
        question=everything(AccessMask.WRITE_PROPERTY),
    )
    yield _Excess(
        check="AD-PRV-004", severity=high, held="every extended right", question=everything(AccessMask.CONTROL_ACCESS)
    )
    service_account = schema.classes.get(_DELEGATED_SERVICE_ACCOUNT.lower())
    forest_knows_it = service_account is not None and schema.is_from_directory
    yield _Excess(
        check="AD-PRV-005",
        severity=Severity.CRITICAL if forest_knows_it else high,
        held="creating objects of every class"
        + (", delegated managed service accounts among them" if forest_knows_it else ""),
        question=_any_of(
            everything(AccessMask.CREATE_CHILD),
            lambda descriptor: aces_granting(descriptor, token, AccessMask.CREATE_CHILD, (service_account or "",)),
        ),
    )
    yield _Excess(
        check="AD-PRV-006",
        severity=high,
        held="linking group policies",
        question=_any_of(attribute("gPLink"), attribute("gPOptions")),
    )


def _on_computers_below(schema: DirectorySchema, token: Token) -> Iterator[_Excess]:
    computer = schema.classes.get("computer", "")

    def below(rights: AccessMask, types: tuple[str, ...]) -> Question:
        return lambda descriptor: aces_granting_below(descriptor, token, computer, rights, types)

    def writing(name: str) -> Question:
        return below(AccessMask.WRITE_PROPERTY, schema.object_types(name, "computer"))

    validated = tuple(right.guid for right in schema.rights if right.name == "Validated-SPN")
    yield _Excess(
        check="AD-PRV-007",
        severity=Severity.HIGH,
        held="writing service principal names of computers below",
        question=_any_of(writing("servicePrincipalName"), below(AccessMask.VALIDATED_WRITE, validated)),
    )
    if schema.object_types("msDS-KeyCredentialLink", "computer"):
        yield _Excess(
            check="AD-PRV-008",
            severity=Severity.HIGH,
            held="writing key credentials of computers below",
            question=writing("msDS-KeyCredentialLink"),
        )
    yield _Excess(
        check="AD-PRV-009",
        severity=Severity.HIGH,
        held="naming who may act on behalf of others on computers below",
        question=writing("msDS-AllowedToActOnBehalfOfOtherIdentity"),
    )
    yield from _reading_passwords(schema, token)


def _reading_passwords(schema: DirectorySchema, token: Token) -> Iterator[_Excess]:
    questions = [
        _reads(schema, token, name, "computer") for name in _LOCAL_ADMINISTRATOR_PASSWORDS if _exists(schema, name)
    ]
    if questions:
        yield _Excess(
            check="AD-PRV-014",
            severity=Severity.CRITICAL,
            held="reading local administrator passwords of computers below",
            question=_any_of(*questions),
        )
    elif _exists(schema, "msFVE-RecoveryPassword") and "msfve-recoveryinformation" in schema.classes:
        yield _Excess(
            check="AD-PRV-014",
            severity=Severity.HIGH,
            held="reading BitLocker recovery passwords below",
            question=_reads(schema, token, "msFVE-RecoveryPassword", "msFVE-RecoveryInformation"),
        )


def _exists(schema: DirectorySchema, attribute: str) -> bool:
    return attribute.lower() in schema.attributes


def _reads(schema: DirectorySchema, token: Token, attribute: str, structural_class: str) -> Question:
    """A confidential attribute is read with CONTROL_ACCESS besides READ_PROPERTY (MS-ADTS 3.1.1.4.4)."""
    known = schema.attributes[attribute.lower()]
    rights = AccessMask.READ_PROPERTY | (AccessMask.CONTROL_ACCESS if known.is_confidential else AccessMask(0))
    types = schema.object_types(attribute, structural_class)
    class_guid = schema.classes[structural_class.lower()]
    return lambda descriptor: aces_granting_below(descriptor, token, class_guid, rights, types)


def _any_of(*questions: Question) -> Question:
    def ask(descriptor: SecurityDescriptor) -> tuple[Ace, ...] | None:
        answers = [answer for question in questions if (answer := question(descriptor)) is not None]
        return tuple(dict.fromkeys(ace for answer in answers for ace in answer)) if answers else None

    return ask


def _finding(
    facts: DirectoryFacts, membership: Membership, ou: str, excess: _Excess, places: Sequence[Place]
) -> Finding:
    first = places[0]
    return make_finding(
        check=excess.check,
        connection=facts.connection.id,
        outcome=FindingOutcome.EXCESS,
        severity=excess.severity,
        principal=membership.account_sid,
        entitlement=excess.check,
        scope=ou,
        title=f"More than the user task: {excess.held}",
        documented="create, delete and manage users below the OU",
        actual=f"held without Domain Admins on {describe_places(places)}",
        paths=tuple(path_to_ace(membership, first.container, ace) for ace in first.aces),
        evidence=(
            EvidenceReference(dataset="target_ou", record=ou),
            EvidenceReference(dataset="containers", record=ou),
        ),
        remediation=revoke([(place.container.dn, place.aces) for place in places]),
    )


def _other_features(
    facts: DirectoryFacts, membership: Membership, ou: str, subtree: Subtree, token: Token
) -> Iterator[Finding]:
    """AD-PRV-021: create or delete objects of other classes, which the page does not ask for."""
    places = places_where(subtree.alike(token), lambda descriptor: _for_other_classes(descriptor, token))
    if not places:
        return
    classes = sorted({facts.schema.name_of_class(ace.object_type or "") for place in places for ace in place.aces})
    yield make_finding(
        check="AD-PRV-021",
        connection=facts.connection.id,
        outcome=FindingOutcome.ADVISORY,
        severity=Severity.MEDIUM,
        principal=membership.account_sid,
        entitlement="create or delete other classes",
        scope=ou,
        title=f"Creating or deleting objects of other classes: {', '.join(classes)}",
        documented="create, delete and manage users below the OU",
        actual=f"held without Domain Admins on {describe_places(places)}",
        paths=tuple(path_to_ace(membership, places[0].container, ace) for ace in places[0].aces),
        evidence=(
            EvidenceReference(dataset="target_ou", record=ou),
            EvidenceReference(dataset="containers", record=ou),
        ),
        remediation=revoke([(place.container.dn, place.aces) for place in places]),
    )


def _for_other_classes(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
    aces = tuple(
        grant.ace
        for grant in grants_on(descriptor, token)
        if grant.rights & _CHILD_RIGHTS and grant.ace.object_type not in (None, USER_CLASS)
    )
    return aces or None
