"""Asks a domain controller what accounts may do, and the auditor's decision the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import ldap3
from ldap3.protocol.microsoft import security_descriptor_control

from auditor.acl import (
    Named,
    SecurityDescriptor,
    Token,
    Vocabulary,
    effective_rights,
    format_sid,
    parse_descriptor,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.lab.domain_controller import DomainController

    Entry = dict[str, list[bytes]]

_OWNER_OR_GROUP, _DACL = 0x3, 0x4  # of sDRightsEffective (MS-ADTS 3.1.1.4.5.4)
_CONSTRUCTED = 0x4  # of systemFlags (MS-ADTS 2.2.10)
# Written with WRITE_DAC and WRITE_OWNER alone (MS-ADTS 3.1.1.5.3.3), but Samba lists it wherever WRITE_PROPERTY is held
_NO_PROPERTY = "nTSecurityDescriptor"
_TOLD_OF_THE_WHOLE_OBJECT = frozenset({"WRITE_DAC", "WRITE_OWNER"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An object, its own SID if it has one, and what the domain controller can be asked about it."""

    dn: str
    class_guid: str
    descriptor: SecurityDescriptor
    sid: str | None
    vocabulary: Vocabulary

    @property
    def rights(self) -> int:
        """How many rights the domain controller tells about."""
        asked = len(self.vocabulary.attributes) + len(self.vocabulary.child_classes)
        return asked + len(_TOLD_OF_THE_WHOLE_OBJECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What an account may do with an object; `answer` names what the domain controller grants, of `Subject.rights`."""

    account: Subject
    token: Token
    subject: Subject
    answer: frozenset[str]


def decided(question: Question) -> frozenset[str]:
    """Return what the auditor's decision grants, in the names of the answer."""
    subject = question.subject
    rights = effective_rights(subject.descriptor, question.token, subject.vocabulary, subject.sid)
    return frozenset(
        {
            *(f"write {name}" for name in rights.write_property),
            *(f"create {name}" for name in rights.create_child),
            *_TOLD_OF_THE_WHOLE_OBJECT.intersection(rights.standard),
        }
    )


def ask(controller: DomainController, base: str, accounts: Sequence[str]) -> tuple[Question, ...]:
    """Ask about every object at and below `base`, as each of the accounts `CN=...` there; each signs in once."""
    with controller.sign_in() as administrator:
        subjects = {subject.dn: subject for subject in _subjects(administrator, controller, base)}
    questions = []
    for name in accounts:
        account = subjects[f"CN={name},{base}"]
        with controller.sign_in(name) as connection:
            token = token_of(connection)
            questions += [
                Question(account=account, token=token, subject=subjects[dn], answer=answer)
                for dn, answer in _answers(connection, base)
            ]
    return tuple(questions)


def token_of(connection: ldap3.Connection) -> Token:
    """Return every SID that the domain controller evaluates for the account that is signed in (MS-ADTS 3.1.1.3.2)."""
    connection.search("", "(objectClass=*)", ldap3.BASE, attributes=["tokenGroups"])
    (root,) = connection.response or []
    return Token(frozenset(map(format_sid, root["raw_attributes"]["tokenGroups"])))


def _answers(connection: ldap3.Connection, base: str) -> Iterator[tuple[str, frozenset[str]]]:
    for dn, entry in _below(
        connection, base, "allowedAttributesEffective", "allowedChildClassesEffective", "sDRightsEffective"
    ):
        bits = int(_text(entry, "sDRightsEffective"))
        writable = (name for name in _texts(entry, "allowedAttributesEffective") if name != _NO_PROPERTY)
        answer = {f"write {name}" for name in writable}
        answer |= {f"create {name}" for name in _texts(entry, "allowedChildClassesEffective")}
        if bits & _DACL:
            answer.add("WRITE_DAC")
        if bits & _OWNER_OR_GROUP:
            answer.add("WRITE_OWNER")
        yield dn, frozenset(answer)


def _subjects(administrator: ldap3.Connection, controller: DomainController, base: str) -> Iterator[Subject]:
    schema = f"CN=Schema,CN=Configuration,{controller.domain.head}"
    classes = {
        _text(entry, "lDAPDisplayName"): _guid(entry, "schemaIDGUID")
        for _, entry in _below(
            administrator, schema, "lDAPDisplayName", "schemaIDGUID", only="(objectClass=classSchema)"
        )
    }
    attributes = {
        _text(entry, "lDAPDisplayName"): _object_types(entry)
        for _, entry in _below(
            administrator, schema, "lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID",
            "systemFlags", "systemOnly", "linkID", only="(objectClass=attributeSchema)",
        )
        if _is_writable(entry)
    }  # fmt: skip
    for dn, entry in _below(
        administrator, base, "objectClass", "objectSid", "nTSecurityDescriptor", "allowedAttributes",
        "allowedChildClasses",
    ):  # fmt: skip
        own_class = classes[_texts(entry, "objectClass")[-1]]
        yield Subject(
            dn=dn,
            class_guid=own_class,
            descriptor=parse_descriptor(entry["nTSecurityDescriptor"][0]),
            sid=format_sid(entry["objectSid"][0]) if "objectSid" in entry else None,
            vocabulary=Vocabulary(
                class_guid=own_class,
                child_classes=tuple(
                    Named(name=name, object_types=(classes[name],)) for name in _texts(entry, "allowedChildClasses")
                ),
                attributes=tuple(
                    Named(name=name, object_types=(*attributes[name], own_class))
                    for name in _texts(entry, "allowedAttributes")
                    if name in attributes
                ),
            ),
        )


def _is_writable(attribute: Entry) -> bool:
    is_back_link = int(_text(attribute, "linkID") or 0) % 2
    is_constructed = int(_text(attribute, "systemFlags") or 0) & _CONSTRUCTED
    is_of_the_system = _text(attribute, "systemOnly") == "TRUE"
    return (
        not (is_back_link or is_constructed or is_of_the_system) and _text(attribute, "lDAPDisplayName") != _NO_PROPERTY
    )


def _object_types(attribute: Entry) -> tuple[str, ...]:
    own = _guid(attribute, "schemaIDGUID")
    return (own, _guid(attribute, "attributeSecurityGUID")) if "attributeSecurityGUID" in attribute else (own,)


def _below(
    connection: ldap3.Connection, base: str, *attributes: str, only: str = "(objectClass=*)"
) -> Iterator[tuple[str, Entry]]:
    found: Iterator[dict[str, Any]] = connection.extend.standard.paged_search(
        base,
        only,
        ldap3.SUBTREE,
        attributes=list(attributes),
        controls=security_descriptor_control(sdflags=5),
        paged_size=500,
    )
    for entry in found:
        if entry["type"] == "searchResEntry":
            yield entry["dn"], {name: values for name, values in entry["raw_attributes"].items() if values}


def _texts(entry: Entry, name: str) -> list[str]:
    return [value.decode() for value in entry.get(name, [])]


def _text(entry: Entry, name: str) -> str:
    return next(iter(_texts(entry, name)), "")


def _guid(entry: Entry, name: str) -> str:
    return str(UUID(bytes_le=entry[name][0]))
