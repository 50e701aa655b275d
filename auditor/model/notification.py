"""Where news of a run goes. Holds references to secrets, never the secrets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from auditor.model.sign_in import SecretReference


class When(StrEnum):
    """Which runs are told about; one that failed always is."""

    CHANGE = "change"
    ALWAYS = "always"


class MailSecurity(StrEnum):
    """How a mail server is spoken to: TLS from the start, after STARTTLS, or in the clear (RFC 8314)."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class WebhookForm(StrEnum):
    """What a web address expects."""

    TEAMS = "teams"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailChannel:
    """Mail through one server. `place` names it in messages, as the inventory's key does."""

    place: str
    when: When
    server: str
    port: int
    security: MailSecurity
    sender: str
    recipients: tuple[str, ...]
    username: str | None = None
    password: SecretReference | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """A web address that takes JSON; whoever knows it may post there, so it is a secret."""

    place: str
    when: When
    form: WebhookForm
    url: SecretReference
    ca_file: str | None = None


Channel: TypeAlias = MailChannel | WebhookChannel
