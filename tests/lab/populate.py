"""Fill a stopped domain controller's directory from an estate description.

Run by the system's Python, which has Samba's modules: `populate.py SMB_CONF < estate.json`. Works on
the database through Samba's directory modules, so that SIDs, GUIDs, linked attributes and inherited
ACEs come out as they would over LDAP. The format is that of `estate.Estate.to_json`.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import ldb  # type: ignore[import-not-found]
from samba.auth import system_session  # type: ignore[import-not-found]
from samba.dcerpc import security  # type: ignore[import-not-found]
from samba.ndr import ndr_pack, ndr_unpack  # type: ignore[import-not-found]
from samba.param import LoadParm  # type: ignore[import-not-found]
from samba.samdb import SamDB  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OWNER_ONLY, DACL_ONLY, OWNER_GROUP_DACL = "sd_flags:1:1", "sd_flags:1:4", "sd_flags:1:7"  # MS-ADTS 3.1.1.3.4.1.11


OF_A_TRANSACTION = 500  # what a transaction costs grows faster than what is in it


class Directory:
    """The database of one domain controller."""

    def __init__(self, configuration: str, guids: dict[str, str]) -> None:
        self.parameters = LoadParm()
        self.parameters.load(configuration)
        self.database = SamDB(url=None, session_info=system_session(), lp=self.parameters)
        self.domain_sid = security.dom_sid(self.database.get_domain_sid())
        self.guids = guids

    def add_object(self, dn: str, object_class: str, attributes: dict[str, list[str]], password: str | None) -> None:
        """Create an object, with a password if given."""
        domain = self.database.domain_dns_name()
        message: dict[str, Any] = {"dn": self.absolute(dn), "objectClass": object_class}
        for name, values in attributes.items():
            message[name] = [value.replace("{domain}", domain) for value in values]
        if password is not None:
            message["unicodePwd"] = f'"{password}"'.encode("utf-16-le")
        self.database.add(message)

    def add_membership(self, group: str, member: str) -> None:
        """Add an account, a group or a well-known SID to a group."""
        value = self.foreign_principal(member) if member.startswith("S-1-") else self.find(member)[0]
        self.modify(self.find(group)[0], "member", [value], flag=ldb.FLAG_MOD_ADD)

    def change_attribute(self, name: str, attribute: str, values: list[str]) -> None:
        """Replace an attribute's values; SIDs are written as text, security descriptors as SDDL."""
        packing = {
            "sIDHistory": lambda value: ndr_pack(security.dom_sid(value)),
            "msDS-GroupMSAMembership": lambda value: ndr_pack(
                security.descriptor.from_sddl(self.resolve(value), self.domain_sid)
            ),
        }
        pack = packing.get(attribute, str)
        self.modify(self.find(name)[0], attribute, [pack(value) for value in values])

    def change_access(self, dn: str, aces: list[str], protected: bool, owner: str | None) -> None:
        """Put ACEs in front of the explicit ones; the inherited ones come back by themselves."""
        added = "".join(self.resolve(ace) for ace in aces)
        descriptor = self.descriptor(dn, DACL_ONLY).as_sddl(self.domain_sid)
        present = re.findall(r"\([^)]*\)", descriptor)
        explicit = "".join(ace for ace in present if "ID" not in ace.split(";")[1])
        self.replace_dacl(dn, f"D:{'P' if protected else ''}{added}{explicit}")
        if owner is not None:
            owned = ndr_pack(security.descriptor.from_sddl(f"O:{self.find(owner)[1]}", self.domain_sid))
            self.modify(self.absolute(dn), "nTSecurityDescriptor", [owned], controls=[OWNER_ONLY])

    def guard_account(self, name: str) -> None:
        """Do to an account what the hourly task does to members of protected groups (MS-ADTS 3.1.1.6.1)."""
        dn = self.find(name)[0]
        template = self.descriptor("CN=AdminSDHolder,CN=System", DACL_ONLY)
        template.type |= security.SEC_DESC_DACL_PROTECTED
        self.modify(dn, "nTSecurityDescriptor", [ndr_pack(template)], controls=[DACL_ONLY])
        self.modify(dn, "adminCount", ["1"])

    def empty_dacl(self, dn: str) -> None:
        """Give an object a DACL without ACEs."""
        self.replace_dacl(dn, "D:P")

    def remove_dacl(self, dn: str) -> None:
        """Give an object a NULL DACL (MS-DTYP 2.4.6).

        Samba's modules would put a default in its place, so this goes past them, to the file that
        holds the domain.
        """
        descriptor = self.descriptor(dn, OWNER_GROUP_DACL)
        descriptor.dacl = None
        descriptor.type |= security.SEC_DESC_DACL_PRESENT
        head = str(self.database.domain_dn()).upper()
        file = ldb.Ldb(f"tdb://{self.parameters.private_path(f'sam.ldb.d/{head}.ldb')}")
        message = ldb.Message(ldb.Dn(file, self.absolute(dn)))
        message["descriptor"] = ldb.MessageElement([ndr_pack(descriptor)], ldb.FLAG_MOD_REPLACE, "nTSecurityDescriptor")
        file.modify(message)

    def rename(self, name: str, new_rdn: str, new_name: str) -> None:
        """Rename an account or a group."""
        dn = ldb.Dn(self.database, self.find(name)[0])
        renamed = f"{new_rdn},{dn.parent()}"
        self.database.rename(dn, ldb.Dn(self.database, renamed))
        self.modify(renamed, "sAMAccountName", [new_name])

    def absolute(self, dn: str) -> str:
        """Return the DN of what lies at `dn` below the domain head, which is an empty one."""
        head = str(self.database.domain_dn())
        return f"{dn},{head}" if dn else head

    def find(self, name: str) -> tuple[str, str]:
        """Return DN and SID of the account or group with this sAMAccountName."""
        found = self.database.search(expression=f"(sAMAccountName={ldb.binary_encode(name)})", attrs=["objectSid"])
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects are named {name!r}")
        sid = ndr_unpack(security.dom_sid, found[0]["objectSid"][0])
        return str(found[0].dn), str(sid)

    def foreign_principal(self, sid: str) -> str:
        """Return the DN that makes a SID a member; Samba adds the object behind it when there is none."""
        found = self.database.search(expression=f"(objectSid={sid})", attrs=[])
        return str(found[0].dn) if len(found) else f"<SID={sid}>"

    def resolve(self, ace: str) -> str:
        """Replace the placeholders of an ACE."""

        def replacement(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("rid:"):
                return f"{self.domain_sid}-{name[4:]}"
            return self.find(name[4:])[1] if name.startswith("sid:") else self.guids[name]

        return re.sub(r"\{([^{}]+)\}", replacement, ace)

    def descriptor(self, dn: str, parts: str) -> Any:
        """Return an object's security descriptor."""
        found = self.database.search(
            self.absolute(dn), scope=ldb.SCOPE_BASE, attrs=["nTSecurityDescriptor"], controls=[parts]
        )
        return ndr_unpack(security.descriptor, found[0]["nTSecurityDescriptor"][0])

    def replace_dacl(self, dn: str, sddl: str) -> None:
        """Write a DACL; Samba adds what is inherited, here and below."""
        descriptor = ndr_pack(security.descriptor.from_sddl(sddl, self.domain_sid))
        self.modify(self.absolute(dn), "nTSecurityDescriptor", [descriptor], controls=[DACL_ONLY])

    def modify(
        self,
        dn: str,
        attribute: str,
        values: list[Any],
        *,
        flag: int = ldb.FLAG_MOD_REPLACE,
        controls: Sequence[str] = (),
    ) -> None:
        """Change one attribute of one object."""
        message = ldb.Message(ldb.Dn(self.database, dn))
        message[attribute] = ldb.MessageElement(values, flag, attribute)
        self.database.modify(message, controls=list(controls))


def main() -> None:
    """Carry out the steps of an estate, each kind in transactions of so many."""
    estate = json.load(sys.stdin)
    directory = Directory(sys.argv[1], estate["guids"])
    steps: dict[str, Callable[..., None]] = {
        "objects": directory.add_object,
        "memberships": directory.add_membership,
        "attribute_changes": directory.change_attribute,
        "access_changes": directory.change_access,
        "renamings": directory.rename,
    }
    for kind, step in steps.items():
        for start in range(0, len(estate[kind]), OF_A_TRANSACTION):
            directory.database.transaction_start()
            for arguments in estate[kind][start : start + OF_A_TRANSACTION]:
                step(**arguments)
            directory.database.transaction_commit()
    for name in estate["guarded_accounts"]:
        directory.guard_account(name)
    for dn in estate["empty_dacls"]:
        directory.empty_dacl(dn)
    for dn in estate["null_dacls"]:  # last and outside of a transaction, which would lock the file
        directory.remove_dacl(dn)


if __name__ == "__main__":
    main()
