"""Rights on a target OU and on what lies below that go further than the user task: what each one is, and who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from auditor.acl import FULL_CONTROL, AccessMask, Token
from auditor.evaluate.directory.grants import aces_granting, aces_granting_below
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from auditor.acl import Ace, SecurityDescriptor
    from auditor.evaluate.directory.schema import DirectorySchema

    Question: TypeAlias = Callable[[SecurityDescriptor], tuple[Ace, ...] | None]

_DELEGATED_SERVICE_ACCOUNT = "msDS-DelegatedManagedServiceAccount"
_LOCAL_ADMINISTRATOR_PASSWORDS = ("ms-Mcs-AdmPwd", "msLAPS-Password", "msLAPS-EncryptedPassword")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightBeyondTask:
    """One right beyond the task: the check that tells it, how grave it is, and the question to each container."""

    check: str
    severity: Severity
    held: str
    question: Question


def rights_beyond_task(schema: DirectorySchema, token: Token) -> tuple[RightBeyondTask, ...]:
    """Return every right that is looked for, for a token and in the terms of a directory."""
    return (*_on_the_ou(schema, token), *_on_computers_below(schema, token))


def _on_the_ou(schema: DirectorySchema, token: Token) -> Iterator[RightBeyondTask]:
    def everything(rights: AccessMask) -> Question:
        return lambda descriptor: aces_granting(descriptor, token, rights)

    def attribute(name: str) -> Question:
        types = schema.object_types(name, "organizationalUnit")
        return lambda descriptor: aces_granting(descriptor, token, AccessMask.WRITE_PROPERTY, types)

    high = Severity.HIGH
    yield RightBeyondTask(check="AD-PRV-001", severity=high, held="full control", question=everything(FULL_CONTROL))
    yield RightBeyondTask(
        check="AD-PRV-002",
        severity=high,
        held="changing permissions or owner",
        question=_any_of(
            everything(AccessMask.WRITE_DAC),
            everything(AccessMask.WRITE_OWNER),
            lambda descriptor: () if descriptor.owner in token.sids else None,
        ),
    )
    yield RightBeyondTask(
        check="AD-PRV-003",
        severity=high,
        held="writing every attribute",
        question=everything(AccessMask.WRITE_PROPERTY),
    )
    yield RightBeyondTask(
        check="AD-PRV-004", severity=high, held="every extended right", question=everything(AccessMask.CONTROL_ACCESS)
    )
    service_account = schema.classes.get(_DELEGATED_SERVICE_ACCOUNT.lower())
    forest_knows_it = service_account is not None and schema.is_from_directory
    yield RightBeyondTask(
        check="AD-PRV-005",
        severity=Severity.CRITICAL if forest_knows_it else high,
        held="creating objects of every class"
        + (", delegated managed service accounts among them" if forest_knows_it else ""),
        question=_any_of(
            everything(AccessMask.CREATE_CHILD),
            lambda descriptor: aces_granting(descriptor, token, AccessMask.CREATE_CHILD, (service_account or "",)),
        ),
    )
    yield RightBeyondTask(
        check="AD-PRV-006",
        severity=high,
        held="linking group policies",
        question=_any_of(attribute("gPLink"), attribute("gPOptions")),
    )


def _on_computers_below(schema: DirectorySchema, token: Token) -> Iterator[RightBeyondTask]:
    computer = schema.classes.get("computer", "")

    def below(rights: AccessMask, types: tuple[str, ...]) -> Question:
        return lambda descriptor: aces_granting_below(descriptor, token, computer, rights, types)

    def writing(name: str) -> Question:
        return below(AccessMask.WRITE_PROPERTY, schema.object_types(name, "computer"))

    validated = tuple(right.guid for right in schema.rights if right.name == "Validated-SPN")
    yield RightBeyondTask(
        check="AD-PRV-007",
        severity=Severity.HIGH,
        held="writing service principal names of computers below",
        question=_any_of(writing("servicePrincipalName"), below(AccessMask.VALIDATED_WRITE, validated)),
    )
    if schema.object_types("msDS-KeyCredentialLink", "computer"):
        yield RightBeyondTask(
            check="AD-PRV-008",
            severity=Severity.HIGH,
            held="writing key credentials of computers below",
            question=writing("msDS-KeyCredentialLink"),
        )
    yield RightBeyondTask(
        check="AD-PRV-009",
        severity=Severity.HIGH,
        held="naming who may act on behalf of others on computers below",
        question=writing("msDS-AllowedToActOnBehalfOfOtherIdentity"),
    )
    yield from _reading_passwords(schema, token)


def _reading_passwords(schema: DirectorySchema, token: Token) -> Iterator[RightBeyondTask]:
    questions = [
        _reads(schema, token, name, "computer") for name in _LOCAL_ADMINISTRATOR_PASSWORDS if _exists(schema, name)
    ]
    if questions:
        yield RightBeyondTask(
            check="AD-PRV-014",
            severity=Severity.CRITICAL,
            held="reading local administrator passwords of computers below",
            question=_any_of(*questions),
        )
    elif _exists(schema, "msFVE-RecoveryPassword") and "msfve-recoveryinformation" in schema.classes:
        yield RightBeyondTask(
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
