"""Redacts records: which fields are the same everywhere, which hold names, and which must keep their meaning."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from uuid import UUID

from auditor.acl import WELL_KNOWN_GUIDS
from auditor.evaluate.checks.secrets_in_text import looks_like_a_secret
from auditor.evaluate.tenant.built_in_roles import BUILT_IN_ROLE_NAMES, PRIVILEGED_ROLES
from auditor.matrix.exchange_defaults import EXCHANGE_DEFAULTS
from auditor.redaction.pseudonyms import GUID, Pseudonyms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.model.evidence import Json, Record

# Attributes of a directory whose values are numbers, flags, times, OIDs or names of the schema's making
_PUBLIC_ATTRIBUTES = frozenset({
    "accountexpires", "admincount", "appliesto", "domaincontrollerfunctionality", "domainfunctionality",
    "forestfunctionality", "grouptype", "iscriticalsystemobject", "isglobalcatalogready", "issynchronized",
    "lastlogontimestamp", "linkid", "lockoutduration", "lockoutobservationwindow", "lockoutthreshold", "lockouttime",
    "maxpwdage", "minpwdage", "minpwdlength", "ms-ds-machineaccountquota", "msds-behavior-version",
    "msds-supportedencryptiontypes", "msds-user-account-control-computed", "mspki-certificate-name-flag",
    "mspki-enrollment-flag", "mspki-ra-signature", "pkiextendedkeyusage", "primarygroupid", "pwdhistorylength",
    "pwdlastset", "pwdproperties", "rightsguid", "sdrightseffective", "searchflags", "supportedcapabilities",
    "systemflags", "systemonly", "useraccountcontrol", "validaccesses", "whenchanged", "whencreated",
})  # fmt: skip
_GUID_ATTRIBUTES = frozenset({"objectguid"})
_SCHEMA_GUID_ATTRIBUTES = frozenset({"attributesecurityguid", "schemaidguid"})
_SID_ATTRIBUTES = frozenset({
    "msds-allowedtoactonbehalfofotheridentity", "msds-groupmsamembership", "objectsid", "sidhistory", "tokengroups",
})  # fmt: skip
_FREE_TEXTS = frozenset({"comment", "description", "info"})
_SCHEMA_DATASETS = frozenset({"schema_attributes", "schema_classes", "extended_rights"})
_BASE_SCHEMA_OBJECT = 0x10  # systemFlags, MS-ADTS 2.2.10: part of the schema that Windows ships
# Schema that Microsoft's products add is named so; what an organisation adds has a prefix of its own (MS-ADTS 3.1.1.2)
_OF_MICROSOFT = re.compile(r"ms(-|[A-Z])")
_PROPERTY = re.compile(r"[A-Za-z]+[0-9]?(@[A-Za-z.]+)?|@[A-Za-z.]+")
_OF_THE_TOOL = frozenset({"auditing_identity", "host", "service_clock"})  # records that it writes itself
_ALWAYS_CLASSES = frozenset({"top", "person", "organizationalperson", "msds-groupmanagedserviceaccount"})
# Fields of Graph and Exchange whose texts Microsoft has chosen
_PUBLIC_FIELDS = frozenset({
    "@odata.type", "accessId", "action", "allowedMemberTypes", "allowedResourceActions", "assignmentMethod",
    "assignmentType", "builtInControls", "capabilities", "cipher", "clientAppTypes", "configReadScope",
    "configWriteScope", "consentType", "date", "exchangeVersion", "excludedResourceActions", "frequencyInterval",
    "idtyp", "implicitConfigReadScope", "implicitConfigWriteScope", "implicitRecipientReadScope",
    "implicitRecipientWriteScope", "memberType", "objectClass", "objectState", "operator", "passwordPolicies",
    "principalType", "recipientReadScope", "recipientType", "recipientTypeDetails", "recipientWriteScope",
    "roleAssigneeType", "roleAssignmentDelegationType", "roleGroupType", "roleState", "roleType",
    "scope", "scopeRestrictionType", "scp", "servicePrincipalType", "signInAudience", "signInRiskLevels", "state",
    "status", "tenantType", "type", "userRiskLevels", "userType", "value", "version", "wids",
})  # fmt: skip
_PUBLIC = frozenset(name.casefold() for name in _PUBLIC_FIELDS)
_DEFAULT_ROLES = ("b79fbf4d-3ef9-4689-8143-76b194e85509", "0997a1d0-0d1d-4acb-b408-d5ca73121e90")


@dataclass(slots=True, kw_only=True)
class Redactor:
    """Redacts the records of one run. `learn` is told every record first: evidence itself says what is built in."""

    pseudonyms: Pseudonyms = field(default_factory=Pseudonyms)

    def __post_init__(self) -> None:
        self.pseudonyms.words |= {name.casefold() for name in WELL_KNOWN_GUIDS.values()} | _ALWAYS_CLASSES
        self.pseudonyms.words |= {group.name.casefold() for group in EXCHANGE_DEFAULTS.role_groups}
        self.pseudonyms.words |= {role.casefold() for group in EXCHANGE_DEFAULTS.role_groups for role in group.roles}
        self.pseudonyms.words |= {name.casefold() for name in BUILT_IN_ROLE_NAMES.values()}
        self.pseudonyms.ids |= {*BUILT_IN_ROLE_NAMES, *PRIVILEGED_ROLES, *_DEFAULT_ROLES}
        self.pseudonyms.ids |= set(EXCHANGE_DEFAULTS.entra_role_by_synthetic_group.values())

    def learn(self, dataset: str, record: Record) -> None:
        """Note what Microsoft has named: roles, commands and the schema that Windows ships."""
        if dataset == "role_definitions" and record.get("isBuiltIn") is True:
            self._note(self.pseudonyms.ids, record, "id", "templateId")
            self._note(self.pseudonyms.words, record, "displayName")
        elif dataset == "management_roles" and not record.get("Parent"):
            self._note(self.pseudonyms.words, record, "Name")
        elif dataset == "management_role_entries":
            self._note(self.pseudonyms.words, record, "Name")
            parameters = record.get("Parameters")
            names = parameters if isinstance(parameters, list) else ()
            self.pseudonyms.words |= {str(name).casefold() for name in names}
        elif dataset in _SCHEMA_DATASETS:
            self._learn_schema(dataset, record)

    def _note(self, known: set[str], record: Record, *names: str) -> None:
        known |= {value.casefold() for name in names if isinstance(value := record.get(name), str)}

    def _learn_schema(self, dataset: str, record: Record) -> None:
        attributes = cast("dict[str, list[Json]]", record["attributes"])
        flags = next(iter(attributes.get("systemflags", ())), "0")
        is_base = str(flags).lstrip("-").isdecimal() and bool(int(str(flags)) & _BASE_SCHEMA_OBJECT)
        for name in ("ldapdisplayname", "cn", "displayname"):
            texts = [str(value) for value in attributes.get(name, ())]
            is_shipped = dataset == "extended_rights" or is_base
            self.pseudonyms.words |= {text.casefold() for text in texts if is_shipped or _OF_MICROSOFT.match(text)}

    def record(self, dataset: str, record: Record, descriptors: Mapping[str, str]) -> Record:
        """Return a record redacted. `descriptors` maps the digest of each stored descriptor to that of the new one."""
        if {"dn", "attributes"} <= record.keys():
            return self._entry(record, descriptors)
        return {self._key(name, dataset): self._value(name, value, dataset) for name, value in record.items()}

    def _entry(self, record: Record, descriptors: Mapping[str, str]) -> Record:
        attributes = cast("dict[str, list[Json]]", record["attributes"])
        digest = record.get("descriptor")
        return {
            "dn": self.pseudonyms.text(str(record["dn"])),
            "attributes": {
                name: [self._attribute(name, each) for each in values] for name, values in attributes.items()
            },
            "descriptor": descriptors[digest] if isinstance(digest, str) else None,
        }

    def _attribute(self, name: str, value: Json) -> Json:
        if isinstance(value, dict):
            raw = base64.b64decode(str(value["base64"]))
            return {"base64": base64.b64encode(self._octets(name, raw)).decode("ascii")}
        text = str(value)
        if name in _PUBLIC_ATTRIBUTES:
            return text
        if name in _FREE_TEXTS:  # it is judged whether such a text looks like a secret
            return "password: Redacted1!" if looks_like_a_secret(text) else self.pseudonyms.name(text)
        return self.pseudonyms.text(text)

    def _octets(self, name: str, raw: bytes) -> bytes:
        if name in _SID_ATTRIBUTES:
            return self.pseudonyms.sids(raw)
        if name in _SCHEMA_GUID_ATTRIBUTES:
            return raw
        if name in _GUID_ATTRIBUTES and len(raw) == 16:  # noqa: PLR2004
            return UUID(self.pseudonyms.guid(str(UUID(bytes_le=raw)))).bytes_le
        return bytes(len(raw))

    def _key(self, name: str, dataset: str) -> str:
        """Properties that a tenant has added to Graph's have an underscore, and are named after what is theirs."""
        is_public = dataset in _OF_THE_TOOL or _PROPERTY.fullmatch(name)
        return name if is_public else self.pseudonyms.name(name)

    def _value(self, name: str, value: Json, dataset: str) -> Json:
        if isinstance(value, dict):
            return {self._key(each, dataset): self._value(each, inner, dataset) for each, inner in value.items()}
        if isinstance(value, list):
            return [self._value(name, each, dataset) for each in value]
        if not isinstance(value, str):
            return value
        is_claim = dataset == "auditing_identity" and name == "roles"
        if name.casefold() in _PUBLIC or is_claim or (dataset == "management_role_entries" and name == "Parameters"):
            return GUID.sub(lambda match: self.pseudonyms.guid(match[0]), value)
        if EXCHANGE_DEFAULTS.entra_role_behind(value) is not None:
            return f"{value.partition('_')[0]}_{self.pseudonyms.name(value)[1:]}"
        return self.pseudonyms.text(value)


