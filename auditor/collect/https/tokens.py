"""Access tokens of the auditing identity. They live in memory and die with the run."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.collect.https.certificates import CertificateUnusable, load_certificate
from auditor.collect.https.identities import choose_identity
from auditor.collect.https.token_claims import rights_in
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from auditor.collect.https.transport import Transport
    from auditor.model.message import Message
    from auditor.model.sign_in import CloudSignIn, Secret, SecretReference

_FRESH_S = 60  # a token this young holds every right that a newer one would


def check_certificate(secret: Secret, password: Secret | None) -> str | None:
    """Return what is wrong with an application certificate, or None. Contacts nobody."""
    try:
        load_certificate(secret, password)
    except CertificateUnusable as problem:
        return str(problem)
    return None


class Tokens:
    """Signs one identity in and hands out its tokens, one per service, to several threads.

    `prompt` tells a person at the terminal what to do; only a device code needs it.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        login: str,
        sign_in: CloudSignIn,
        secrets: Mapping[SecretReference, Secret],
        prompt: Callable[[str], None] | None = None,
    ) -> None:
        self._identity = choose_identity(sign_in, secrets, transport, login, prompt)
        self._elapsed_s = transport.elapsed_s
        self._failures: dict[str, Gap] = {}
        self._acquired: dict[str, tuple[str, float]] = {}  # service -> its token, and when it was first handed out
        self._lock = threading.RLock()  # one thread signs in, the others wait for its token

    def token(self, service: str) -> str:
        """Return a token for `service` (`https://host`), signing in when there is none.

        Raises SourceError. A sign-in that failed is not repeated: later calls say why nothing was sent.
        """
        with self._lock:
            return self._token(service, anew=False)

    def _token(self, service: str, *, anew: bool) -> str:
        failure = self._failures.get(service)
        if failure is not None:
            message = say("not asked for, because: {message}", message=failure.message)
            raise SourceError(replace(failure, kind=GapKind.NOT_ATTEMPTED, message=message))
        try:
            token = self._identity.acquire(service, anew=anew)
        except SourceError as error:
            self._failures[service] = error.gap
            raise
        if self._acquired.get(service, ("", 0.0))[0] != token:
            self._acquired[service] = token, self._elapsed_s()
        return token

    def renew_once(self, service: str, refused: str) -> str:
        """Return another token than the one a service has refused.

        Reads that were refused with the same token at the same time renew it once between them. Raises SourceError.
        """
        with self._lock:
            current = self._token(service, anew=False)
            return current if current != refused else self._token(service, anew=True)

    def with_other_rights(self, service: str, refused: str) -> str | None:
        """Return a token that says other rights than the one with which a read was not permitted, or None.

        Rights are those of the moment a token was issued, so a fresh one is not replaced.
        """
        with self._lock:
            current, since_s = self._acquired.get(service, ("", 0.0))
            if current == refused:
                if self._elapsed_s() - since_s < _FRESH_S:
                    return None
                try:
                    current = self._identity.acquire(service, anew=True)
                except SourceError:  # the token at hand is still good for what it permits
                    return None
                self._acquired[service] = current, self._elapsed_s()
            return current if rights_in(current) != rights_in(refused) else None

    @property
    def stale_rights(self) -> Message:
        """Why rights granted lately may not count yet; empty when they do."""
        return self._identity.stale_rights

    @property
    def person(self) -> str | None:
        """The UPN of the person who signed in; None for an application."""
        return self._identity.person

    @property
    def signed_in_as(self) -> str:
        """Who signed in, in words; says so when nobody did."""
        name = self._identity.name
        return name if self._acquired else f"nobody ({name} could not sign in)"
