"""The kinds of text that the inventory's fields hold, each with the rule it keeps."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from cryptography.x509 import load_pem_x509_certificates
from pydantic import AfterValidator, BeforeValidator, PlainValidator, ValidationInfo, WithJsonSchema

from auditor.model.distinguished_name import parse_dn
from auditor.model.sign_in import SecretReference
from auditor.strict_yaml import did_you_mean, refusal

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")

_GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ID = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# The names of devices, with any extension: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_RESERVED_ON_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_DNS_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_DNS_LABEL}\.)*(?![0-9]+\Z){_DNS_LABEL}")
_LINE_BREAK_OR_TAB = re.compile(r"[\n\t]")
_UPN = re.compile(r'[^\s@\\/"]+@[^\s@\\/"]+')
# Characters that sAMAccountName may not hold: [MS-SAMR] 3.1.1.8.4
_DOMAIN_AND_NAME = re.compile(r'(?!\.\\)[^\s@\\/"\[\]:;|=,+*?<>]+\\[^\\/"\[\]:;|=,+*?<>]+')
_HTTPS_BASE = re.compile(r"(https://(?P<host>[^\s/@:?#\[\]]+|\[[0-9a-fA-F:.]+\])(:(?P<port>[0-9]{1,5}))?)/?")
_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HIGHEST_PORT = 65535
REFERENCE_FORMS = "env:NAME, file:PATH, keyring:SERVICE/NAME or prompt: (in quotes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a file's fields are checked against: the folder relative paths start from, and the profiles."""

    folder: Path
    known_profiles: frozenset[str]


def _surroundings(info: ValidationInfo) -> Surroundings:
    return cast("Surroundings", info.context)


def _require_one_line(value: str) -> str:
    if not value.strip():
        raise refusal("is empty", "write a value")
    if _LINE_BREAK_OR_TAB.search(value):
        cure = "remove it; in double quotes a backslash is written \\\\, in single quotes as it is"
        raise refusal("contains a line break or a tab", cure)
    if value != value.strip():
        raise refusal("starts or ends with a space", "remove the space")
    return value


def _require_id(value: str) -> str:
    cure = "use 1 to 64 letters, digits, dots, hyphens and underscores, starting with a letter or digit"
    if not re.fullmatch(_ID, value):
        raise refusal("is no usable id", cure)
    if _RESERVED_ON_WINDOWS.fullmatch(value) or value.endswith("."):
        raise refusal("cannot name a folder on Windows", "choose another id")
    return value


def _require_dn(value: str) -> str:
    try:
        parse_dn(value)
    except ValueError as error:
        raise refusal(str(error), "write it like OU=Staff,DC=corp,DC=example,DC=com") from None
    return value


def is_host(value: str) -> bool:
    """Tell whether `value` is a DNS name or the literal of an IP address, and nothing more."""
    try:
        ip_address(value)
    except ValueError:
        return _DNS_NAME.fullmatch(value) is not None
    return True


def _require_host(value: str) -> str:
    if not is_host(value):
        cure = "write the bare name or address, without ldaps://, port, path or trailing dot"
        raise refusal("is neither a DNS name nor an IP address", cure)
    return value


def _require_directory_account(value: str) -> str:
    if _UPN.fullmatch(value) or _DOMAIN_AND_NAME.fullmatch(value):
        return value
    try:
        parse_dn(value)
    except ValueError:
        cure = "write svc@corp.example.com, 'CORP\\svc' or CN=svc,OU=Staff,DC=corp,DC=example,DC=com"
        raise refusal("is neither a UPN nor DOMAIN\\name nor a distinguished name", cure) from None
    return value


def is_principal(value: str) -> bool:
    """Tell whether `value` is the Kerberos principal of an account, whose realm is in upper case."""
    realm = value.rpartition("@")[2]
    return _UPN.fullmatch(value) is not None and realm == realm.upper()


def _require_cloud_account(value: str) -> str:
    if not (_UPN.fullmatch(value) or re.fullmatch(_GUID, value)):
        raise refusal("is neither a UPN nor an object id", "write svc@contoso.com or the account's object id")
    return value


def _require_tenant(value: str) -> str:
    if not (re.fullmatch(_GUID, value) or (_DNS_NAME.fullmatch(value) and "." in value)):
        raise refusal("is neither a domain nor a GUID", "write contoso.onmicrosoft.com or the tenant's id")
    return value


def _require_guid(value: str) -> str:
    if not re.fullmatch(_GUID, value):
        raise refusal("is no GUID", "write it like 00000000-0000-0000-0000-000000000000")
    return value


def _https_base(value: str) -> str:
    match = _HTTPS_BASE.fullmatch(value)
    port = int(match["port"] or 443) if match else 0
    if match is None or not is_host(match["host"].strip("[]")) or not 1 <= port <= _HIGHEST_PORT:
        raise refusal("is no https base address", "write https://host or https://host:port, without a path")
    return match[1]


def parse_secret_reference(text: str, folder: Path) -> SecretReference | None:
    """Return the reference that `text` is, a file's path being relative to `folder`; None when it is none."""
    scheme, colon, locator = text.partition(":")
    service, _, name = locator.partition("/")
    if scheme == "file" and locator.strip() and not _LINE_BREAK_OR_TAB.search(locator):
        return SecretReference("file", str(folder / locator))
    if (
        (scheme == "env" and _ENVIRONMENT_NAME.fullmatch(locator))
        or (scheme == "keyring" and service and name)
        or (scheme == "prompt" and colon and not locator)
    ):
        return SecretReference(scheme, locator)
    return None


def _secret_reference(value: object, info: ValidationInfo) -> SecretReference:
    reference = parse_secret_reference(value, _surroundings(info).folder) if isinstance(value, str) else None
    if reference is None:  # no message repeats the value: it may be the secret itself
        cure = f"write {REFERENCE_FORMS}, and change the secret if it stood here"
        raise refusal("must be a reference to a secret, never the secret itself", cure)
    return reference


def _require_file(reference: SecretReference) -> SecretReference:
    if reference.scheme != "file":
        raise refusal("must name the file that holds the token now", "write file:PATH; it is read again on renewal")
    return reference


def _certificate_file(value: str, info: ValidationInfo) -> str:
    path = _surroundings(info).folder / value
    try:
        load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        cure = "check the path and the right to read it"
        raise refusal(f"{path} cannot be read: {error.strerror}", cure) from None
    except ValueError:
        cure = "export the issuing authority's certificate as PEM (BEGIN CERTIFICATE)"
        raise refusal(f"{path} holds no readable PEM certificate", cure) from None
    return str(path)


def _evidence_folder(value: str, info: ValidationInfo) -> str:
    path = _surroundings(info).folder / value
    if not path.is_dir():
        cure = "give the folder of one connection below `evidence/` of a run"
        raise refusal(f"{path} is no folder", cure)
    return str(path)


def _profile(value: str, info: ValidationInfo) -> str:
    surroundings = _surroundings(info)
    if value.lower().endswith((".yaml", ".yml", ".json")):
        path = surroundings.folder / value
        if not path.is_file():
            raise refusal(f"{path} does not exist", "check the path of the profile file")
        return str(path)
    known = surroundings.known_profiles
    if value not in known:
        names = ", ".join(sorted(known))
        cure = f"{did_you_mean(value, known)}known profiles are {names}; a path ends with .yaml"
        raise refusal("is no known profile", cure)
    return value


def _require_given(value: object) -> object:
    if value is None:
        raise refusal("is empty", "give a value, or remove the key")
    return value


def _text_like(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


IfGiven = Annotated[T | None, BeforeValidator(_require_given)]  # the default, None, is not validated
OneLine = Annotated[str, AfterValidator(_require_one_line)]
ConnectionId = Annotated[OneLine, AfterValidator(_require_id), _text_like(_ID)]
Dn = Annotated[OneLine, AfterValidator(_require_dn)]
Host = Annotated[OneLine, AfterValidator(_require_host)]
DirectoryAccount = Annotated[OneLine, AfterValidator(_require_directory_account)]
CloudAccount = Annotated[OneLine, AfterValidator(_require_cloud_account)]
Tenant = Annotated[OneLine, AfterValidator(_require_tenant)]
Guid = Annotated[OneLine, AfterValidator(_require_guid), _text_like(_GUID)]
HttpsBase = Annotated[OneLine, AfterValidator(_https_base), _text_like("https://.+")]
Reference = Annotated[
    SecretReference, PlainValidator(_secret_reference), _text_like("((env|file|keyring):.+|prompt:)")
]
FileReference = Annotated[Reference, AfterValidator(_require_file), _text_like("file:.+")]
CertificateFile = Annotated[OneLine, AfterValidator(_certificate_file)]
EvidenceFolder = Annotated[OneLine, AfterValidator(_evidence_folder)]
ProfileName = Annotated[OneLine, AfterValidator(_profile)]
