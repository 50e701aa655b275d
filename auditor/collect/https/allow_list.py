"""The few requests this tool may send. Everything else stops here, before it reaches the wire."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from auditor.model.message import say

if TYPE_CHECKING:
    from auditor.model.connection import Endpoints
    from auditor.model.message import Message

SIGN_IN_PATHS = {
    "GET": ("/v2.0/.well-known/openid-configuration",),
    "POST": ("/oauth2/v2.0/token",),
}
# Two names of one sign-in service (https://login.microsoftonline.com/common/discovery/instance): discovery at either
# may name the endpoints of the other
_SAME_SIGN_IN = frozenset({("login.chinacloudapi.cn", 443), ("login.partner.microsoftonline.cn", 443)})
DEVICE_CODE_PATH = "/oauth2/v2.0/devicecode"
GRAPH_PATHS = (
    "/v1.0/directory/administrativeUnits",
    "/v1.0/groups",
    "/v1.0/identity/conditionalAccess/policies",
    "/v1.0/identityGovernance/privilegedAccess/group",
    "/v1.0/oauth2PermissionGrants",
    "/v1.0/organization",
    "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy",
    "/v1.0/roleManagement/directory",
    "/v1.0/servicePrincipals",
    "/v1.0/users",
)
EXCHANGE_PATH = re.compile(r"/adminapi/beta/[^/]+/InvokeCommand", re.IGNORECASE)
READ_CMDLETS = frozenset({
    "Get-ManagementRole",
    "Get-ManagementRoleAssignment",
    "Get-ManagementRoleEntry",
    "Get-ManagementScope",
    "Get-RoleGroup",
    "Get-RoleGroupMember",
    "Get-User",
})
# Several cmdlets answer an empty identity with every object of the tenant.
IDENTIFYING_PARAMETERS = frozenset({"Identity", "RoleAssignee"})

# One reading only: no user info, no backslash, no fragment, nothing outside printable ASCII.
_PLAIN_URL = re.compile(r"https://[A-Za-z0-9.:\[\]-]+([/?][\x21\x22\x24-\x5b\x5d-\x7e]*)?")
_LOCAL_URL = re.compile(r"http://(?P<host>[a-z0-9.]+)(:[0-9]{1,5})?/[A-Za-z0-9/_-]+\?[\x21\x22\x24-\x5b\x5d-\x7e]*")
_DOT_SEGMENT = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE)


class ForbiddenRequest(Exception):
    """The tool was about to send something that is none of its reads: a bug, never a source's fault."""


def origin(url: str) -> tuple[str, int] | None:
    """Return host (lower case) and port of an https URL, or None when it is not plainly one."""
    if not _PLAIN_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        return (parts.hostname or "").lower(), parts.port or 443
    except ValueError:  # a port out of range, a bracket without its partner
        return None


def is_on_this_machine(url: str) -> bool:
    """Tell whether a plain http URL leads to an address that no packet leaves this machine or its link for.

    Azure serves the tokens of managed identities there: at 169.254.169.254, or where its environment says.
    """
    match = _LOCAL_URL.fullmatch(url)
    if match is None:
        return False
    if match["host"] == "localhost":
        return True
    try:
        address = ip_address(match["host"])
    except ValueError:
        return False
    return address.is_loopback or address.is_link_local


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowList:
    """What may be sent to the endpoints of one connection.

    `regional_hosts`: Exchange Online may hand over to hosts below the configured one, which is only
    safe where the domain belongs to Microsoft. `managed_identity`: the token service of the machine itself may
    be asked. `device_code`: so may the sign-in service, for a code that a person enters.
    """

    endpoints: Endpoints
    regional_hosts: bool
    managed_identity: bool = False
    device_code: bool = False

    def objection(self, method: str, url: str, body: bytes | None) -> Message | None:
        """Return why this request must not be sent, or None when it is one of the tool's reads."""
        if self.managed_identity and method == "GET" and is_on_this_machine(url):
            return None
        where = origin(url)
        path = urlsplit(url).path if where else ""
        if "//" in path or path.endswith("/") or _DOT_SEGMENT.search(path):
            return say("its path is not plain")
        if self._is_sign_in_service(where) and _is_sign_in(method, path):
            return None
        is_device_code = method == "POST" and path.endswith(DEVICE_CODE_PATH)
        if self._is_sign_in_service(where) and is_device_code and self.device_code:
            return None
        if where == origin(self.endpoints.graph) and method == "GET" and _is_graph_read(path):
            return None
        if method == "POST" and self.leads_to_exchange(url) and EXCHANGE_PATH.fullmatch(path):
            return _objection_to_command(body)
        return say("{method} is not among the reads of this address", method=method)

    def _is_sign_in_service(self, where: tuple[str, int] | None) -> bool:
        configured = origin(self.endpoints.login)
        return where is not None and (where == configured or {where, configured} <= _SAME_SIGN_IN)

    def leads_to_exchange(self, url: str) -> bool:
        """Tell whether a URL stays with the configured Exchange endpoint or one of its regional hosts."""
        where, home = origin(url), origin(self.endpoints.exchange)
        if where is None or home is None:
            return False
        is_regional = where[0].endswith(f".{home[0]}") and where[1] == home[1]
        return where == home or (self.regional_hosts and is_regional)


def _is_sign_in(method: str, path: str) -> bool:
    return path.endswith(SIGN_IN_PATHS.get(method, ()))


def _is_graph_read(path: str) -> bool:
    return any(re.match(rf"{re.escape(prefix)}([/(]|$)", path, re.IGNORECASE) for prefix in GRAPH_PATHS)


def _objection_to_command(body: bytes | None) -> Message | None:
    command = json.loads(body or b"null")
    match command:
        case {"CmdletInput": {"CmdletName": str(name), "Parameters": dict(parameters)}}:
            pass
        case _:
            return say("it carries no command")
    if name not in READ_CMDLETS:
        return say("{command} is not among the commands that only read", command=name)
    for parameter in IDENTIFYING_PARAMETERS & parameters.keys():
        value = parameters[parameter]
        if not isinstance(value, str) or not value.strip():
            return say("{command} would be sent with an empty {parameter}", command=name, parameter=parameter)
    return None
