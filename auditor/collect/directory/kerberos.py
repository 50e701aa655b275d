"""Kerberos as SASL carries it (RFC 4752): the client's side. Home of gssapi, an optional extra."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from auditor.collect.directory.failures import malformed_answer
from auditor.collect.directory.kerberos_errors import kerberos_failure
from auditor.errors import SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_SECURITY_LAYER = 1  # RFC 4752 3.3; inside TLS a domain controller refuses any other (MS-ADTS 5.1.1.1.2)
_OFFER_BYTES = 4


def kerberos_trouble() -> str | None:
    """Return why Kerberos cannot be used on this machine, or None when it can."""
    try:
        import gssapi  # noqa: F401, PLC0415 - an optional extra
    except ModuleNotFoundError:
        return "the Kerberos support is not installed"
    except (ImportError, OSError):
        return "the Kerberos library of the system cannot be loaded"
    return None


class KerberosClient:
    """One sign-in at one host: answers the host's challenges, and is used up afterwards.

    ldap3 has an exchange of its own. It ends a refused one with a second bind, whose answer hides why the
    first was refused, and fails when a host offers no security layer at all.

    Takes the ticket of `principal` (`name@REALM`), else the current one, from the ticket cache or by
    the client keytab, as the Kerberos library is configured. `channel_binding` ties the sign-in to the
    TLS connection (RFC 5929). Every method raises SourceError when the ticket cannot be used.
    """

    def __init__(
        self, endpoint: str, *, principal: str | None, service_host: str, channel_binding: bytes | None
    ) -> None:
        import gssapi  # noqa: PLC0415 - an optional extra
        from gssapi.raw import ChannelBindings  # noqa: PLC0415

        self._endpoint = endpoint
        self._service = f"ldap/{service_host}"
        self.is_finished = False
        flags = gssapi.RequirementFlag
        with self._told():
            # One mechanism by name: for several, the library would renumber the codes of its errors
            credentials = gssapi.Credentials(
                name=gssapi.Name(principal, gssapi.NameType.kerberos_principal) if principal else None,
                mechs=[gssapi.MechType.kerberos],
                usage="initiate",
            )
            self.principal = str(credentials.name)
            self._context = gssapi.SecurityContext(
                name=gssapi.Name(f"ldap@{service_host}", gssapi.NameType.hostbased_service),
                creds=credentials,
                mech=gssapi.MechType.kerberos,
                flags=flags.mutual_authentication | flags.integrity | flags.out_of_sequence_detection,
                channel_bindings=ChannelBindings(application_data=channel_binding) if channel_binding else None,
            )

    def respond(self, challenge: bytes | None) -> bytes:
        """Return what to send: first of all (`challenge` is None), or in answer to a challenge."""
        if self.is_finished:
            raise SourceError(malformed_answer(self._endpoint))
        answer: bytes | None
        with self._told():
            if not self._context.complete:
                answer = self._context.step(challenge)
            else:
                offer = self._context.unwrap(challenge).message
                if len(offer) != _OFFER_BYTES or not offer[0] & _NO_SECURITY_LAYER:
                    raise SourceError(self._security_layer_demanded())
                answer = self._context.wrap(bytes([_NO_SECURITY_LAYER, 0, 0, 0]), encrypt=False).message
                self.is_finished = True
        return answer or b""

    @contextmanager
    def _told(self) -> Iterator[None]:
        from gssapi.exceptions import GSSError  # noqa: PLC0415 - an optional extra

        try:
            yield
        except GSSError as error:
            gap = kerberos_failure(self._endpoint, self._service, error.maj_code, error.min_code)
            raise SourceError(gap) from error

    def _security_layer_demanded(self) -> Gap:
        return Gap(
            kind=GapKind.SIGN_IN_REFUSED,
            message=say("{host} demands that Kerberos sign or seal, although TLS does", host=self._endpoint),
            missing_permission=say("let the host accept Kerberos inside of TLS without signing and sealing"),
        )
