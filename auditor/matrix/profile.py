"""A matrix profile: one variant of the documented permissions, requirement by requirement.

The dataclasses are the shape of a profile file; the loader validates a file straight into them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from auditor.model.connection import ConnectionKind
from auditor.model.outcome import Severity
from auditor.model.results import MatrixReference, MatrixSource

_REFUSE_UNKNOWN_KEYS = {"extra": "forbid"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRole:
    """An Exchange management role, recognised by its RoleType so that renamed copies count as far as they go."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["exchange_role"]
    name: str
    role_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraRole:
    """A Microsoft Entra directory role, recognised by its template id."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["entra_role"]
    name: str
    template_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGroup:
    """The profile's Exchange roles come from a role group the account is assigned to."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["role_group"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntraAccount:
    """The service account exists, is enabled and is known to Exchange."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["entra_account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryGroup:
    """Membership of a group of the account's home domain, by its relative identifier."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["ad_group"]
    name: str
    rid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A delegation task on each target OU; the one task known is the wizard's user task."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["ad_delegation"]
    task: Literal["create_delete_manage_users"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ldaps:
    """LDAP over TLS on the documented port, with base DNs in the documented form."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["ldaps"]
    port: int
    global_catalog_port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Every part is required."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["all_of"]
    parts: tuple["Need", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """One part is enough."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    type: Literal["any_of"]
    parts: tuple["Need", ...]


TenantNeed = ExchangeRole | EntraRole | RoleGroup | EntraAccount
DirectoryNeed = DirectoryGroup | Delegation | Ldaps
Need = Annotated[TenantNeed | DirectoryNeed | AllOf | AnyOf, Field(discriminator="type")]

Plane = Literal[
    "ad_group",
    "ad_delegation",
    "ad_connection",
    "exchange_role",
    "exchange_role_group",
    "entra_role",
    "entra_account",
    "exchange_and_entra_role",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row of the matrix. `clause` is where the row comes from, in our words."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    id: str
    kind: ConnectionKind
    plane: Plane
    feature: str
    documented: str
    scope: Literal["account", "target_ou", "host"]
    basis: Literal["documented", "derived"]
    clause: str
    check: str
    severity: Severity
    needs: Need


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How the page's ambiguities are read.

    `domain_admins_and_delegation`: whether the bind account needs both legs or one of them.
    `single_role_group`: whether roles spread over several role groups are a finding.
    `expected_scopes`: the consented scopes the profile expects, or None when it does not say.
    `expected_role_group_members`: object ids of accounts that may be in the product's role group, break-glass ones.
    """

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    domain_admins_and_delegation: Literal["all_of", "any_of"] = "all_of"
    single_role_group: bool = False
    expected_scopes: tuple[str, ...] | None = None
    expected_role_group_members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A whole profile, as the file states it."""

    __pydantic_config__ = _REFUSE_UNKNOWN_KEYS
    id: str
    version: str
    title: str
    source: MatrixSource
    requirements: tuple[Requirement, ...]
    rules: Rules = Rules()

    def of_kind(self, kind: ConnectionKind) -> tuple[Requirement, ...]:
        """Return the requirements for connections of `kind`."""
        return tuple(requirement for requirement in self.requirements if requirement.kind is kind)

    def reference(self, sha256: str) -> MatrixReference:
        """Return what a report says about this profile, read from a file of that digest."""
        return MatrixReference(id=self.id, version=self.version, sha256=sha256, source=self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A loaded profile with the digest of the file it came from.

    `released` is the profile of the same id that comes with this version of the tool; None when there is none.
    """

    profile: Profile
    sha256: str
    content: bytes
    released: MatrixReference | None

    @property
    def is_released(self) -> bool:
        """True if it is, byte for byte, a profile that comes with this version of the tool."""
        return self.released is not None and self.released.sha256 == self.sha256

    @property
    def reference(self) -> MatrixReference:
        """What a report says about the matrix used."""
        return self.profile.reference(self.sha256)


def leaves(need: Need) -> Iterator[TenantNeed | DirectoryNeed]:
    """Yield the needs below any combination."""
    if isinstance(need, (AllOf, AnyOf)):
        for part in need.parts:
            yield from leaves(part)
    else:
        yield need
