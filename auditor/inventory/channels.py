"""The notifications of an inventory: their form, and what the rest of the tool works with."""


from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from auditor.inventory.entries import SecretUse
from auditor.inventory.fields import CertificateFile, Host, IfGiven, OneLine, Reference
from auditor.model.notification import Channel, MailChannel, MailSecurity, WebhookChannel, WebhookForm, When
from auditor.strict_yaml import dotted, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.model.sign_in import SecretReference
    from auditor.strict_yaml import Document, Place

# RFC 5321 4.1.2 without quoted names, which no operator has; ASCII, since not every server speaks SMTPUTF8
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_PORTS = {MailSecurity.TLS: 465, MailSecurity.STARTTLS: 587, MailSecurity.NONE: 25}


def _require_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise refusal("is no mail address", "write it like reviewers@corp.example.com")
    return value


_Address = Annotated[OneLine, AfterValidator(_require_address)]


class _Notification(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    when: When = When.CHANGE
    ca_file: IfGiven[CertificateFile] = None


class MailFields(_Notification):
    """Mail through a server of the organisation."""

    kind: Literal["mail"]
    server: Host
    port: IfGiven[Annotated[int, Field(ge=1, le=65535)]] = None
    security: MailSecurity = MailSecurity.STARTTLS
    sender: _Address
    recipients: Annotated[list[_Address], Field(min_length=1)]
    username: IfGiven[OneLine] = None
    password: IfGiven[Reference] = None

    @model_validator(mode="after")
    def _is_whole(self) -> MailFields:
        if (self.username is None) != (self.password is None):
            raise refusal("has a username or a password, not both", "give both, or none")
        if self.password is not None and self.security is MailSecurity.NONE:
            raise refusal("would send the password in the clear", "write security: starttls or tls")
        return self


class WebhookFields(_Notification):
    """A web address, of Microsoft Teams or any other."""

    kind: WebhookForm
    url: Reference


class AnyNotificationFields(BaseModel):
    """A notification whose kind is not yet known: only the kind is looked at."""

    model_config = ConfigDict(extra="ignore")
    kind: Literal["mail", WebhookForm.TEAMS, WebhookForm.WEBHOOK]


NotificationFields: TypeAlias = MailFields | WebhookFields


def shape_of_notification(entry: object) -> type[NotificationFields | AnyNotificationFields]:
    """Return the form an entry must have, by its kind."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind == "mail":
        return MailFields
    return WebhookFields if kind in set(WebhookForm) else AnyNotificationFields


def build_channel(place: Place, fields: NotificationFields) -> Channel:
    """Build the channel of an entry that has passed every rule."""
    if isinstance(fields, WebhookFields):
        return WebhookChannel(
            place=dotted(place), when=fields.when, form=fields.kind, url=fields.url, ca_file=fields.ca_file
        )
    return MailChannel(
        place=dotted(place),
        when=fields.when,
        server=fields.server,
        port=fields.port or _PORTS[fields.security],
        security=fields.security,
        sender=fields.sender,
        recipients=tuple(fields.recipients),
        username=fields.username,
        password=fields.password,
        ca_file=fields.ca_file,
    )


def channel_secret_uses(document: Document, place: Place, channel: Channel) -> Iterator[SecretUse]:
    """Yield what must be resolved before a channel can be used."""
    wanted: dict[str, SecretReference | None]
    wanted = {"password": channel.password} if isinstance(channel, MailChannel) else {"url": channel.url}
    for key, reference in wanted.items():
        if reference is not None:
            where = (*place, key)
            yield SecretUse(reference=reference, file=document.file, line=document.line(where), place=dotted(where))
