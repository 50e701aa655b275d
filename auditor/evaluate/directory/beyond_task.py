"""What goes further than the user task, as questions to the containers of a target OU: one per right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.acl import FULL_CONTROL, AccessMask
from auditor.evaluate.directory.grants import (
    aces_granting,
    aces_granting_below,
    grants_below,
    grants_on,
    is_of_the_user_task,
)
from auditor.evaluate.directory.shipped import is_shipped
from auditor.model.message import Message, say
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.acl import Ace, SecurityDescriptor, Token
    from auditor.evaluate.directory.grants import Grant
    from auditor.evaluate.directory.holder import Question
    from auditor.evaluate.directory.schema import DirectorySchema

_DELEGATED_SERVICE_ACCOUNT = "msDS-DelegatedManagedServiceAccount"
_LOCAL_ADMINISTRATOR_PASSWORDS = ("ms-Mcs-AdmPwd", "msLAPS-Password", "msLAPS-EncryptedPassword")
_RECOVERY_PASSWORD, _RECOVERY_INFORMATION = "msFVE-RecoveryPassword", "msFVE-RecoveryInformation"
# What may live below an OU beside the users that the task is for
_OTHER_CLASSES = (
    "computer", "contact", "group", "inetOrgPerson", "msDS-GroupManagedServiceAccount", "organizationalUnit",
)  # fmt: skip
_UNLIMITED: tuple[str, ...] = ()  # no object type: only an entry without one, for every class, attribute or right


@dataclass(frozen=True, slots=True, kw_only=True)
class RightBeyondTask:
    """One right beyond the task: the check that tells it, how grave it is, and the question to each container.

    `rights` is what the check tells of the entries that answer, on objects below of the class with the GUID `below`,
    or on the container itself where that is empty; what else they give is other rights (AD-PRV-021). `entitlement`
    tells several rights of one check apart.
    """

    check: str
    severity: Severity
    held: Message
    rights: AccessMask
    question: Question
    below: str = ""
    entitlement: str = ""


def rights_beyond_task(schema: DirectorySchema) -> Iterator[RightBeyondTask]:
    """Yield every right that a check of its own tells."""
    yield from _on_the_ou(schema)
    yield from _on_computers_below(schema)


def _on_the_ou(schema: DirectorySchema) -> Iterator[RightBeyondTask]:
    high = Severity.HIGH
    # An entry that names the object's own class speaks of the whole object (MS-ADTS 5.1.3.3.3).
    unit = tuple(guid for guid in (schema.classes.get("organizationalunit"),) if guid is not None)
    yield RightBeyondTask(
        check="AD-PRV-001",
        severity=high,
        held=say("full control"),
        rights=FULL_CONTROL,
        question=lambda descriptor, token: aces_granting(descriptor, token, FULL_CONTROL),
    )
    yield RightBeyondTask(
        check="AD-PRV-002",
        severity=high,
        held=say("changing permissions or owner, or owning it"),
        rights=AccessMask.WRITE_DAC | AccessMask.WRITE_OWNER,
        question=_any_of(
            _unlimited(AccessMask.WRITE_DAC, unit),
            _unlimited(AccessMask.WRITE_OWNER, unit),
            lambda descriptor, token: () if descriptor.owner in token.sids else None,
        ),
    )
    yield RightBeyondTask(
        check="AD-PRV-003",
        severity=high,
        held=say("writing attributes without a limit"),
        rights=AccessMask.WRITE_PROPERTY,
        question=_unlimited(AccessMask.WRITE_PROPERTY),
    )
    yield RightBeyondTask(
        check="AD-PRV-004",
        severity=high,
        held=say("extended rights without a limit"),
        rights=AccessMask.CONTROL_ACCESS,
        question=_unlimited(AccessMask.CONTROL_ACCESS),
    )
    yield from _creating(schema)
    yield RightBeyondTask(
        check="AD-PRV-006",
        severity=high,
        held=say("linking group policies"),
        rights=AccessMask.WRITE_PROPERTY,
        question=_any_of(_writing_on_the_ou(schema, "gPLink"), _writing_on_the_ou(schema, "gPOptions")),
    )


def _unlimited(right: AccessMask, own_class: tuple[str, ...] = _UNLIMITED) -> Question:
    """A deny for one object type leaves a right without a limit to types what it is: too wide."""
    return lambda descriptor, token: aces_granting(descriptor, token, right, own_class)


def _writing_on_the_ou(schema: DirectorySchema, attribute: str) -> Question:
    types = schema.object_types(attribute, "organizationalUnit")
    return lambda descriptor, token: aces_granting(descriptor, token, AccessMask.WRITE_PROPERTY, types)


def _creating(schema: DirectorySchema) -> Iterator[RightBeyondTask]:
    """AD-PRV-005. What a forest's schema does not have, nobody can create there."""
    yield RightBeyondTask(
        check="AD-PRV-005",
        severity=Severity.HIGH,
        held=say("creating objects without a limit to classes"),
        rights=AccessMask.CREATE_CHILD,
        question=_unlimited(AccessMask.CREATE_CHILD),
    )
    service_account = schema.classes.get(_DELEGATED_SERVICE_ACCOUNT.lower()) if schema.is_from_directory else None
    if service_account is not None:
        types = (service_account,)
        yield RightBeyondTask(
            check="AD-PRV-005",
            severity=Severity.CRITICAL,
            held=say("creating delegated managed service accounts"),
            rights=AccessMask.CREATE_CHILD,
            question=lambda descriptor, token: aces_granting(descriptor, token, AccessMask.CREATE_CHILD, types),
            entitlement="delegated managed service accounts",
        )


def _on_computers_below(schema: DirectorySchema) -> Iterator[RightBeyondTask]:
    validated = tuple(right.guid for right in schema.rights if right.name == "Validated-SPN")
    computer = schema.classes.get("computer", "")
    yield RightBeyondTask(
        check="AD-PRV-007",
        severity=Severity.HIGH,
        held=say("writing service principal names of computers below"),
        rights=AccessMask.WRITE_PROPERTY | AccessMask.VALIDATED_WRITE,
        below=computer,
        question=_any_of(
            _writing_below(schema, "servicePrincipalName"),
            lambda descriptor, token: aces_granting_below(
                descriptor, token, computer, AccessMask.VALIDATED_WRITE, validated
            ),
        ),
    )
    if _exists(schema, "msDS-KeyCredentialLink"):
        yield RightBeyondTask(
            check="AD-PRV-008",
            severity=Severity.HIGH,
            held=say("writing key credentials of computers below"),
            rights=AccessMask.WRITE_PROPERTY,
            below=computer,
            question=_writing_below(schema, "msDS-KeyCredentialLink"),
        )
    if _exists(schema, "msDS-AllowedToActOnBehalfOfOtherIdentity"):
        yield RightBeyondTask(
            check="AD-PRV-009",
            severity=Severity.HIGH,
            held=say("naming who may act on behalf of others on computers below"),
            rights=AccessMask.WRITE_PROPERTY,
            below=computer,
            question=_writing_below(schema, "msDS-AllowedToActOnBehalfOfOtherIdentity"),
        )
    yield from _reading_passwords(schema)


def _writing_below(schema: DirectorySchema, attribute: str) -> Question:
    computer, types = schema.classes.get("computer", ""), schema.object_types(attribute, "computer")
    return lambda descriptor, token: aces_granting_below(descriptor, token, computer, AccessMask.WRITE_PROPERTY, types)


def _reading_passwords(schema: DirectorySchema) -> Iterator[RightBeyondTask]:
    passwords = [
        _reading_below(schema, name, "computer") for name in _LOCAL_ADMINISTRATOR_PASSWORDS if _exists(schema, name)
    ]
    if passwords:
        yield RightBeyondTask(
            check="AD-PRV-014",
            severity=Severity.CRITICAL,
            held=say("reading local administrator passwords of computers below"),
            rights=AccessMask.CONTROL_ACCESS,
            below=schema.classes["computer"],
            question=_any_of(*passwords),
        )
    if _exists(schema, _RECOVERY_PASSWORD) and _RECOVERY_INFORMATION.lower() in schema.classes:
        yield RightBeyondTask(
            check="AD-PRV-014",
            severity=Severity.HIGH,
            held=say("reading BitLocker recovery passwords below"),
            rights=AccessMask.CONTROL_ACCESS,
            below=schema.classes[_RECOVERY_INFORMATION.lower()],
            question=_reading_below(schema, _RECOVERY_PASSWORD, _RECOVERY_INFORMATION),
            entitlement="BitLocker recovery passwords",
        )


def _exists(schema: DirectorySchema, attribute: str) -> bool:
    return attribute.lower() in schema.attributes


def _reading_below(schema: DirectorySchema, attribute: str, structural_class: str) -> Question:
    """A confidential attribute is read with CONTROL_ACCESS besides READ_PROPERTY (MS-ADTS 3.1.1.4.4)."""
    known = schema.attributes[attribute.lower()]
    rights = AccessMask.READ_PROPERTY | (AccessMask.CONTROL_ACCESS if known.is_confidential else AccessMask(0))
    types = schema.object_types(attribute, structural_class)
    class_guid = schema.classes[structural_class.lower()]
    return lambda descriptor, token: aces_granting_below(descriptor, token, class_guid, rights, types)


def _any_of(*questions: Question) -> Question:
    def ask_each(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
        answers = [answer for question in questions if (answer := question(descriptor, token)) is not None]
        return tuple(dict.fromkeys(ace for answer in answers for ace in answer)) if answers else None

    return ask_each


def everything_else(
    schema: DirectorySchema, told: Mapping[tuple[str, Ace], AccessMask], *, assigns_groups: bool = False
) -> Question:
    """Ask for entries that give more than `told` and the user task, on the container or on other classes below it.

    `told` are the rights that other checks tell, by `below` and entry. Where the product `assigns_groups`, writing
    their members is documented as well.
    """
    others = [guid for name in _OTHER_CLASSES if (guid := schema.classes.get(name.lower()))]
    member = schema.attributes.get("member")

    def is_documented(grant: Grant) -> bool:
        if is_of_the_user_task(grant) or is_shipped(grant.ace, grant.rights):
            return True
        writes_members = member is not None and grant.ace.object_type in member.own_object_types
        return assigns_groups and writes_members and grant.rights == AccessMask.WRITE_PROPERTY

    def rest(descriptor: SecurityDescriptor, token: Token) -> tuple[Ace, ...] | None:
        grants = [("", grant) for grant in grants_on(descriptor, token)]
        grants += [(guid, grant) for guid in others for grant in grants_below(descriptor, token, guid)]
        more = (
            grant.ace
            for below, grant in grants
            if not is_documented(grant) and grant.rights & ~told.get((below, grant.ace), AccessMask(0))
        )
        return tuple(dict.fromkeys(more)) or None

    return rest
