"""Well-known GUIDs of object types, as the schema ships with Windows; a forest may have changed some.

A GUID means nothing without the right that goes with it: one value can be an attribute and a validated write.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from auditor.acl.rights import AccessMask

if TYPE_CHECKING:
    from collections.abc import Mapping


class GuidKind(StrEnum):
    """What a GUID stands for in an ACE (MS-ADTS 5.1.3.2, 5.1.3.2.1, 5.1.3.2.2)."""

    CLASS = "class"
    ATTRIBUTE = "attribute"
    PROPERTY_SET = "property_set"
    EXTENDED_RIGHT = "extended_right"
    VALIDATED_WRITE = "validated_write"


_CLASSES = {
    "computer": "bf967a86-0de6-11d0-a285-00aa003049e2",
    "contact": "5cb41ed0-0e4c-11d0-a286-00aa003049e2",
    "container": "bf967a8b-0de6-11d0-a285-00aa003049e2",
    "domainDNS": "19195a5b-6da0-11d0-afd3-00c04fd930c9",
    "foreignSecurityPrincipal": "89e31c12-8530-11d0-afda-00c04fd930c9",
    "group": "bf967a9c-0de6-11d0-a285-00aa003049e2",
    "groupPolicyContainer": "f30e3bc2-9ff0-11d1-b603-0000f80367c1",
    "inetOrgPerson": "4828cc14-1437-45bc-9b07-ad6f015e5f28",
    "msDS-DelegatedManagedServiceAccount": "0feb936f-47b3-49f2-9386-1dedc2c23765",
    "msDS-GroupManagedServiceAccount": "7b8b558a-93a5-4af7-adca-c017e67f1057",
    "msDS-ManagedServiceAccount": "ce206244-5827-4a86-ba1c-1c0c386c1b64",
    "organizationalUnit": "bf967aa5-0de6-11d0-a285-00aa003049e2",
    "person": "bf967aa7-0de6-11d0-a285-00aa003049e2",
    "user": "bf967aba-0de6-11d0-a285-00aa003049e2",
}
_PROPERTY_SETS = {
    "DNS-Host-Name-Attributes": "72e39547-7b18-11d1-adef-00c04fd8d5cd",
    "Domain-Other-Parameters": "b8119fd0-04f6-4762-ab7a-4986c76b3f9a",
    "Domain-Password": "c7407360-20bf-11d0-a768-00aa006e0529",
    "Email-Information": "e45795b2-9455-11d1-aebd-0000f80367c1",
    "General-Information": "59ba2f42-79a2-11d0-9020-00c04fc2d3cf",
    "MS-TS-GatewayAccess": "ffa6f046-ca4b-4feb-b40d-04dfee722543",
    "Membership": "bc0ac240-79a9-11d0-9020-00c04fc2d4cf",
    "Personal-Information": "77b5b886-944a-11d1-aebd-0000f80367c1",
    "Private-Information": "91e647de-d96f-4b70-9557-d63ff4f3ccd8",
    "Public-Information": "e48d0154-bcf8-11d1-8702-00c04fb96050",
    "RAS-Information": "037088f8-0ae1-11d2-b422-00a0c968f939",
    "Terminal-Server-License-Server": "5805bc62-bdc9-4428-a5e2-856a0f4c185e",
    "User-Account-Restrictions": "4c164200-20c0-11d0-a768-00aa006e0529",
    "User-Logon": "5f202010-79a5-11d0-9020-00c04fc2d4cf",
    "Web-Information": "e45795b3-9455-11d1-aebd-0000f80367c1",
}
_EXTENDED_RIGHTS = {
    "Allowed-To-Authenticate": "68b1d179-0d15-4d4f-ab71-46152e79a7bc",
    "DS-Replication-Get-Changes": "1131f6aa-9c07-11d1-f79f-00c04fc2dcd2",
    "DS-Replication-Get-Changes-All": "1131f6ad-9c07-11d1-f79f-00c04fc2dcd2",
    "DS-Replication-Get-Changes-In-Filtered-Set": "89e95b76-444d-4c62-991a-0facbeda640c",
    "Enable-Per-User-Reversibly-Encrypted-Password": "05c74c5e-4deb-43b4-bd9f-86664c2a7fd5",
    "Generate-RSoP-Logging": "b7b1b3de-ab09-4242-9e30-9980e5d322f7",
    "Generate-RSoP-Planning": "b7b1b3dd-ab09-4242-9e30-9980e5d322f7",
    "Migrate-SID-History": "ba33815a-4f93-4c76-87f3-57574bff8109",
    "Reanimate-Tombstones": "45ec5156-db7e-47bb-b53f-dbeb2d03c40f",
    "Receive-As": "ab721a56-1e2f-11d0-9819-00aa0040529b",
    "Send-As": "ab721a54-1e2f-11d0-9819-00aa0040529b",
    "Send-To": "ab721a55-1e2f-11d0-9819-00aa0040529b",
    "Unexpire-Password": "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501",
    "Update-Password-Not-Required-Bit": "280f369c-67c7-438e-ae98-1d46f3c6f541",
    "User-Change-Password": "ab721a53-1e2f-11d0-9819-00aa0040529b",
    "User-Force-Change-Password": "00299570-246d-11d0-a768-00aa006e0529",
    "msmq-Receive": "06bd3200-df3e-11d1-9c86-006008764d0e",
    "msmq-Receive-Dead-Letter": "4b6e08c0-df3c-11d1-9c86-006008764d0e",
    "msmq-Receive-computer-Journal": "4b6e08c2-df3c-11d1-9c86-006008764d0e",
    "msmq-Receive-journal": "06bd3203-df3e-11d1-9c86-006008764d0e",
    "msmq-Send": "06bd3202-df3e-11d1-9c86-006008764d0e",
}
_VALIDATED_WRITES = {
    "Self-Membership": "bf9679c0-0de6-11d0-a285-00aa003049e2",
    "Validated-DNS-Host-Name": "72e39547-7b18-11d1-adef-00c04fd8d5cd",
    "Validated-MS-DS-Additional-DNS-Host-Name": "80863791-dbe9-4eb8-837e-7f0ab55d9ac7",
    "Validated-MS-DS-Behavior-Version": "d31a8757-2447-4545-8081-3bb610cacbf2",
    "Validated-SPN": "f3a64788-5306-11d1-a9c5-0000f80367c1",
}
# By lDAPDisplayName, grouped by property set; None holds the attributes that are in no set.
_ATTRIBUTES_BY_SET: dict[str | None, dict[str, str]] = {
    None: {
        "adminCount": "bf967918-0de6-11d0-a285-00aa003049e2",
        "employeeID": "bf967962-0de6-11d0-a285-00aa003049e2",
        "gPLink": "f30e3bbe-9ff0-11d1-b603-0000f80367c1",
        "gPOptions": "f30e3bbf-9ff0-11d1-b603-0000f80367c1",
        "lockoutTime": "28630ebf-41d5-11d1-a9c1-0000f80367c1",
        "msDS-KeyCredentialLink": "5b47d60f-6090-40b2-9f37-2a4de88f3063",
        "nTSecurityDescriptor": "bf9679e3-0de6-11d0-a285-00aa003049e2",
        "unicodePwd": "bf9679e1-0de6-11d0-a285-00aa003049e2",
        "userPassword": "bf967a6e-0de6-11d0-a285-00aa003049e2",
    },
    "General-Information": {
        "displayName": "bf967953-0de6-11d0-a285-00aa003049e2",
        "objectSid": "bf9679e8-0de6-11d0-a285-00aa003049e2",
        "primaryGroupID": "bf967a00-0de6-11d0-a285-00aa003049e2",
        "sAMAccountName": "3e0abfd0-126a-11d0-a060-00aa006c33ed",
        "sIDHistory": "17eb4278-d167-11d0-b002-0000f80367c1",
    },
    "Membership": {
        "member": "bf9679c0-0de6-11d0-a285-00aa003049e2",
        "memberOf": "bf967991-0de6-11d0-a285-00aa003049e2",
    },
    "Personal-Information": {
        "physicalDeliveryOfficeName": "bf9679f7-0de6-11d0-a285-00aa003049e2",
        "streetAddress": "f0f8ff84-1191-11d0-a060-00aa006c33ed",
        "telephoneNumber": "bf967a49-0de6-11d0-a285-00aa003049e2",
        "thumbnailPhoto": "8d3bca50-1d7e-11d0-a081-00aa006c33ed",
    },
    "Public-Information": {
        "cn": "bf96793f-0de6-11d0-a285-00aa003049e2",
        "company": "f0f8ff88-1191-11d0-a060-00aa006c33ed",
        "department": "bf96794f-0de6-11d0-a285-00aa003049e2",
        "description": "bf967950-0de6-11d0-a285-00aa003049e2",
        "givenName": "f0f8ff8e-1191-11d0-a060-00aa006c33ed",
        "mail": "bf967961-0de6-11d0-a285-00aa003049e2",
        "manager": "bf9679b5-0de6-11d0-a285-00aa003049e2",
        "name": "bf967a0e-0de6-11d0-a285-00aa003049e2",
        "proxyAddresses": "bf967a06-0de6-11d0-a285-00aa003049e2",
        "servicePrincipalName": "f3a64788-5306-11d1-a9c5-0000f80367c1",
        "sn": "bf967a41-0de6-11d0-a285-00aa003049e2",
        "title": "bf967a55-0de6-11d0-a285-00aa003049e2",
        "userPrincipalName": "28630ebb-41d5-11d1-a9c1-0000f80367c1",
    },
    "User-Account-Restrictions": {
        "accountExpires": "bf967915-0de6-11d0-a285-00aa003049e2",
        "msDS-AllowedToActOnBehalfOfOtherIdentity": "3f78c3e5-f79a-46bd-a0b8-9d18116ddc79",
        "pwdLastSet": "bf967a0a-0de6-11d0-a285-00aa003049e2",
        "userAccountControl": "bf967a68-0de6-11d0-a285-00aa003049e2",
    },
    "User-Logon": {
        "homeDirectory": "bf967985-0de6-11d0-a285-00aa003049e2",
        "logonHours": "bf9679ab-0de6-11d0-a285-00aa003049e2",
        "profilePath": "bf967a05-0de6-11d0-a285-00aa003049e2",
        "scriptPath": "bf9679a8-0de6-11d0-a285-00aa003049e2",
        "userWorkstations": "bf9679d7-0de6-11d0-a285-00aa003049e2",
    },
}
_GUIDS: dict[GuidKind, dict[str, str]] = {
    GuidKind.CLASS: _CLASSES,
    GuidKind.ATTRIBUTE: {name: guid for group in _ATTRIBUTES_BY_SET.values() for name, guid in group.items()},
    GuidKind.PROPERTY_SET: _PROPERTY_SETS,
    GuidKind.EXTENDED_RIGHT: _EXTENDED_RIGHTS,
    GuidKind.VALIDATED_WRITE: _VALIDATED_WRITES,
}
_SET_OF_ATTRIBUTE: dict[str, str | None] = {
    guid: None if set_name is None else _PROPERTY_SETS[set_name]
    for set_name, group in _ATTRIBUTES_BY_SET.items()
    for guid in group.values()
}
# Reading a confidential attribute takes CONTROL_ACCESS on the attribute or its set (MS-ADTS 3.1.1.4.4).
_KINDS_OF_RIGHT: dict[AccessMask, tuple[GuidKind, ...]] = {
    AccessMask.READ_PROPERTY: (GuidKind.ATTRIBUTE, GuidKind.PROPERTY_SET, GuidKind.CLASS),
    AccessMask.WRITE_PROPERTY: (GuidKind.ATTRIBUTE, GuidKind.PROPERTY_SET, GuidKind.CLASS),
    AccessMask.CONTROL_ACCESS: (GuidKind.EXTENDED_RIGHT, GuidKind.ATTRIBUTE, GuidKind.PROPERTY_SET),
    AccessMask.VALIDATED_WRITE: (GuidKind.VALIDATED_WRITE,),
}

WELL_KNOWN_GUIDS: Mapping[tuple[str, GuidKind], str] = MappingProxyType(
    {(guid, kind): name for kind, guids in _GUIDS.items() for name, guid in guids.items()}
)
"""Names by lower-case GUID and kind."""


def well_known_guid(name: str, kind: GuidKind) -> str:
    """Return the GUID of a class, attribute, property set, extended right or validated write.

    Names are written as in the schema (`sAMAccountName`, `User-Force-Change-Password`). Raises KeyError.
    """
    return _GUIDS[kind][name]


def name_of_object_type(guid: str, right: AccessMask) -> str | None:
    """Return the name of an object type in an ACE that carries `right`; None when it is not well known."""
    kinds = _KINDS_OF_RIGHT.get(right, (GuidKind.CLASS,))
    return next((WELL_KNOWN_GUIDS[guid, kind] for kind in kinds if (guid, kind) in WELL_KNOWN_GUIDS), None)


def property_set_of(attribute_guid: str) -> str | None:
    """Return the GUID of an attribute's property set, None when it is in none.

    Raises KeyError for an attribute that is not well known: nothing is known about its set either.
    """
    return _SET_OF_ATTRIBUTE[attribute_guid]


def well_known_attributes_of(property_set_guid: str) -> tuple[str, ...]:
    """Return the GUIDs of the well-known attributes in a property set; the set may hold others."""
    return tuple(guid for guid, set_guid in _SET_OF_ATTRIBUTE.items() if set_guid == property_set_guid)


def object_types_of_property(attribute_guid: str, class_guid: str) -> tuple[str, ...]:
    """Return the object types an ACE may name and still speak of a property of an object (MS-ADTS 5.1.3.3.3).

    They are the attribute, its property set and the object's class. Raises KeyError like `property_set_of`.
    """
    property_set = property_set_of(attribute_guid)
    own = (attribute_guid,) if property_set is None else (attribute_guid, property_set)
    return (*own, class_guid)
