"""Pseudonyms: the same for the same thing, telling nothing of what it was. What nobody lists as public is replaced.

They are keyed digests: who has not the key cannot find a name by trying names, and redactions with the same key give
the same thing the same pseudonym.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from auditor.acl import format_sid, parse_sid
from auditor.collect.https.allow_list import GRAPH_PATHS
from auditor.model.connection import CLOUD_ENDPOINTS
from auditor.model.distinguished_name import AttributeValue, DistinguishedName, parse_dn

GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Ids of Microsoft's own services, the same in every tenant
_MICROSOFTS_GUID = re.compile(
    r"0000000[0-9a-f]-0000-0(?:000-c000|ff1-ce00)-000000000000|f8cdef31-a31e-4b4a-93e4-5f571e91255a"
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:\d\d)")
_OID = re.compile(r"[0-2](?:\.\d+){3,}")
_DNS_NAME = re.compile(r"(?:\*|[A-Za-z0-9_-]+)(?:\.[A-Za-z0-9_-]+)+\.?")
_PATH = re.compile(r"/(?:(?:administrativeUnits|groups|roleGroups|servicePrincipals|users)/)*", re.IGNORECASE)
_TYPES = frozenset({"c", "cn", "dc", "e", "emailaddress", "l", "o", "ou", "serialnumber", "st", "street", "uid"})
_PUBLIC_FORMS = (_INSTANT, _OID, _PATH)
_DOMAIN_SID = re.compile(rb"\x01[\x04\x05]\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00(.{12})", re.DOTALL)
_DIGEST = re.compile(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")
_PUBLIC_HOSTS = frozenset(
    urlsplit(url).hostname for each in CLOUD_ENDPOINTS.values() for url in (each.login, each.graph, each.exchange)
)
# Of the addresses the tool asks at
_PUBLIC_SEGMENTS = frozenset(segment.casefold() for path in GRAPH_PATHS for segment in path.split("/")) | {
    "$metadata", "adminapi", "approleassignments", "assignmentscheduleinstances", "beta",
    "eligibilityscheduleinstances", "invokecommand", "ownedobjects", "owners", "roleassignments",
    "roleassignmentscheduleinstances", "roledefinitions",
    "roleeligibilityscheduleinstances", "transitivememberof", "transitivemembers",
}  # fmt: skip
# Containers and objects that Windows names, the same in every domain (MS-ADTS 6.1.1)
_PUBLIC_RELATIVE_NAMES = frozenset({
    "adminsdholder", "builtin", "certificate templates", "certification authorities", "computers", "configuration",
    "default-first-site-name", "deleted objects", "domain controllers", "domaindnszones", "enrollment services",
    "extended-rights", "foreignsecurityprincipals", "forestdnszones", "infrastructure", "keys", "lostandfound",
    "managed service accounts", "microsoft", "microsoftdns", "ntds quotas", "partitions", "policies", "program data",
    "public key services", "schema", "servers", "services", "sites", "system", "tpm devices", "users",
})  # fmt: skip
_PUBLIC_WORDS = frozenset({
    "", "*", "/", "all", "alltrusted", "all group members", "false", "guestsorexternalusers", "none", "office365",
    "true", "unlimited",
    # service classes (MS-KILE 3.1.1.11)
    "cifs", "dns", "exchangemdb", "ftp", "gc", "host", "http", "krbtgt", "ldap", "mssqlsvc", "nfs", "restrictedkrbhost",
    "rpc", "smtp", "termsrv", "wsman",
})  # fmt: skip


@dataclass(slots=True, kw_only=True)
class Pseudonyms:
    """The pseudonyms of one key. Public beyond what is so everywhere: `words`, `ids`, both in lower case."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    words: set[str] = field(default_factory=set)
    ids: set[str] = field(default_factory=set)

    def _digest(self, kind: str, value: str) -> str:
        text = f"{kind}\0{value}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.key, text, hashlib.sha256).hex()

    def is_public(self, value: str) -> bool:
        """Tell whether a word is the same everywhere."""
        return value.casefold() in _PUBLIC_WORDS or value.casefold() in self.words

    def name(self, value: str) -> str:
        """Return the pseudonym of a name; names that differ in case alone are one."""
        if self.is_public(value):
            return value
        if value.endswith("$") and len(value) > 1:  # the account of a computer, whose name its host has too
            return f"{self.name(value[:-1])}$"
        return f"n{self._digest('name', value.casefold())[:12]}"

    def guid(self, value: str) -> str:
        """Return the pseudonym of an object id or GUID."""
        if value.casefold() in self.ids or _MICROSOFTS_GUID.fullmatch(value.casefold()):
            return value
        return f"a0000000-0000-4000-8000-{self._digest('guid', value.casefold())[:12]}"

    def sids(self, raw: bytes) -> bytes:
        """Return bytes with the domain of every domain SID in them replaced; what is relative to it stays."""
        return _DOMAIN_SID.sub(lambda match: match[0][:12] + self._domain(match[1]), raw)

    def _domain(self, identifier: bytes) -> bytes:
        return bytes.fromhex(self._digest("domain", identifier.hex())[:24])

    def host(self, value: str) -> str:
        """Return the pseudonym of a DNS name, label by label, or of an address: one of those that are nobody's.

        These are 240.0.0.0/4 (RFC 1112, section 4) and 2001:db8::/32 (RFC 3849).
        """
        try:
            address = ip_address(value)
        except ValueError:
            return ".".join(label if label in {"*", ""} else self.name(label) for label in value.split("."))
        digest = self._digest("address", str(address))
        if address.version == 6:  # noqa: PLR2004
            return str(IPv6Address((0x20010DB8 << 96) + int(digest[:16], 16)))
        return str(IPv4Address((0xF << 28) + int(digest[:7], 16)))

    def dn(self, name: DistinguishedName) -> str:
        """Return a DN with the value of every relative name replaced, unless Windows chose it."""
        parts = tuple(tuple(map(self._part, part)) for part in name.relative_names)
        return str(DistinguishedName(relative_names=parts))

    def _part(self, part: AttributeValue) -> AttributeValue:
        text = part.value if isinstance(part.value, str) else part.value.hex()
        if text.casefold() in _PUBLIC_RELATIVE_NAMES or self.is_public(text):
            return part
        return AttributeValue(type=part.type, value=self.text(text) if text.startswith("S-1-") else self.name(text))

    def url(self, value: str) -> str:
        """Return a URL whose host, names and ids are replaced; a query is left out."""
        parts = urlsplit(value)
        host = parts.hostname or ""
        shown = host if host in _PUBLIC_HOSTS else self.host(host)
        port = f":{parts.port}" if parts.port else ""
        path = "/".join(self._segment(segment) for segment in parts.path.split("/"))
        return f"{parts.scheme}://{shown}{port}{path}{'?redacted' if parts.query else ''}"

    def _segment(self, segment: str) -> str:
        return segment if segment.casefold() in _PUBLIC_SEGMENTS else self.text(segment)

    def text(self, value: str) -> str:
        """Return any text redacted according to its form; what has none is a name."""
        if self.is_public(value) or any(form.fullmatch(value) for form in _PUBLIC_FORMS):
            return value
        redacted = self._identifier(value)
        return self._compound(value) if redacted is None else redacted

    def _identifier(self, value: str) -> str | None:
        if GUID.fullmatch(value):
            return self.guid(value)
        if (sid := _sid(value)) is not None:
            return format_sid(self.sids(sid))
        if value.startswith(("https://", "http://")):
            return self.url(value)
        if _is_address(value):
            return self.host(value)
        if _DIGEST.fullmatch(value):
            return self._digest("digest", value.casefold())[: len(value)]
        return None

    def _compound(self, value: str) -> str:
        prefix, _, last = value.rpartition("/")
        if GUID.fullmatch(last) and _PATH.fullmatch(f"{prefix}/"):
            return f"{prefix}/{self.guid(last)}"
        if "=" in value and (name := _dn(value)) is not None:
            return self.dn(name)
        for separator in ("\\", "/"):
            if separator in value.strip(separator):
                return separator.join(self.text(part) for part in value.split(separator))
        head, colon, port = value.rpartition(":")
        if colon and head and port.isdecimal():
            return f"{self.text(head)}:{port}"
        if value.count("@") == 1 and " " not in value:
            local, _, suffix = value.partition("@")
            return f"{self.name(local)}@{self.host(suffix)}"
        return self.host(value) if _DNS_NAME.fullmatch(value) else self.name(value)


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _sid(value: str) -> bytes | None:
    try:
        return parse_sid(value) if value.startswith("S-1-") else None
    except ValueError:
        return None


def _dn(value: str) -> DistinguishedName | None:
    """Return a DN of the types that RFC 4514 and directories use; any `a = b` would be one otherwise."""
    try:
        name = parse_dn(value)
    except ValueError:
        return None
    types = {part.type.casefold() for parts in name.relative_names for part in parts}
    return name if types <= _TYPES else None
