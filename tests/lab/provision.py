"""Create an empty Active Directory domain with Samba's own library.

Run by the system's Python, which has Samba's modules; reads its settings as JSON from standard
input. `samba-tool domain provision` would need root, because it sets the ownership of SYSVOL; a
directory that is only read over LDAP needs no SYSVOL, and the library can leave that step out.
"""

from __future__ import annotations

import json
import logging
import sys

import ldb  # type: ignore[import-not-found]
from samba import dsdb  # type: ignore[import-not-found]
from samba.auth import system_session  # type: ignore[import-not-found]
from samba.param import LoadParm  # type: ignore[import-not-found]
from samba.provision import provision  # type: ignore[import-not-found]


def main() -> None:
    """Provision with base_configuration, folder, realm, netbios, host, address and password."""
    settings = json.load(sys.stdin)
    parameters = LoadParm()
    parameters.load(settings["base_configuration"])
    directory = provision(
        logging.getLogger("provision"),
        system_session(),
        smbconf=None,
        targetdir=settings["folder"],
        realm=settings["realm"],
        domain=settings["netbios"],
        hostname=settings["host"],
        hostip=settings["address"],
        adminpass=settings["password"],
        serverrole="active directory domain controller",
        dom_for_fun_level=dsdb.DS_DOMAIN_FUNCTION_2008_R2,
        dns_backend="NONE",
        lp=parameters,
        skip_sysvolacl=True,
        base_schema="2012_R2",
    ).samdb
    # What a controller registers on starting (MS-DRSR 2.2.3.2), had this one the service that does
    found = directory.search(expression=f"(sAMAccountName={settings['host']}$)", attrs=[])
    names = [f"ldap/{settings['host']}", f"ldap/{settings['host']}.{settings['realm'].lower()}"]
    change = ldb.Message(found[0].dn)
    change["servicePrincipalName"] = ldb.MessageElement(names, ldb.FLAG_MOD_ADD, "servicePrincipalName")
    directory.modify(change)


if __name__ == "__main__":
    main()
