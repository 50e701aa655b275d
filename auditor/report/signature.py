"""Signs the PDFs of a run (PAdES baseline B, ETSI EN 319 142-1) and checks signatures; pyHanko comes with an extra.

The key stays with the operator: a PKCS#12 file, or a token behind a PKCS#11 module, named by a URI as RFC 7512 has
it. Nothing is fetched, neither to sign nor to check. A signature holds the time and is not reproducible, so a PDF is
signed last, and the manifest has the digest of the signed file.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote

import pikepdf

from auditor.errors import InvalidInput, Problem, RunFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

Signer: TypeAlias = Any  # pyHanko's, which is not imported before it is needed

PKCS11 = "pkcs11:"
FIELD = "Auditor"
INSTALL = "pip install --require-hashes -r requirements-sign.txt"
_FILE_CURE = "name a PKCS#12 file (.p12, .pfx) with key and certificate, and its passphrase with --sign-passphrase"
_URI_CURE = "write pkcs11:token=LABEL;object=LABEL?module-path=/path/of/module.so, and the PIN with --sign-passphrase"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureStatus:
    """What a signature is worth. `is_trusted` is None when no root was given to check against.

    `is_sound` is False when the file is not what was signed, or something was added after it.
    """

    signer: str
    certificate_sha256: str
    signed_at: str
    is_sound: bool
    is_trusted: bool | None


class SigningUnavailable(RunFailed):
    """The extra that signs and checks signatures is not installed."""

    def __init__(self) -> None:
        super().__init__(f"pyHanko is not installed: {INSTALL}")


class UnreadablePdf(RunFailed):
    """A file is no PDF, or a damaged one."""


def open_key(reference: str, passphrase: bytes | None) -> Signer:
    """Return what signs with the key that `reference` names.

    Raises InvalidInput when it cannot be used, or when the extra is not installed.
    """
    try:
        return _from_token(reference, passphrase) if reference.startswith(PKCS11) else _from_file(reference, passphrase)
    except ImportError as error:
        raise InvalidInput([_problem("--sign", "pyHanko is not installed", INSTALL)]) from error


def sign_pdf(content: bytes, signer: Signer) -> bytes:
    """Return a PDF with a signature over the whole of it. Raises RunFailed when the key does not sign."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415 - an extra, slow to load
    from pyhanko.sign import PdfSignatureMetadata, sign_pdf  # noqa: PLC0415
    from pyhanko.sign.fields import SigSeedSubFilter  # noqa: PLC0415

    metadata = PdfSignatureMetadata(field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    try:
        signed: io.BytesIO = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(content)), metadata, signer=signer)
    except Exception as error:  # the module of a token raises what it likes
        raise RunFailed(f"the PDF could not be signed: {type(error).__name__}: {error}") from error
    return signed.getvalue()


def is_signed(content: bytes) -> bool:
    """Tell whether a PDF has a signature; needs no extra. Raises UnreadablePdf."""
    try:
        with pikepdf.open(io.BytesIO(content)) as document:
            fields = document.Root.get("/AcroForm", pikepdf.Dictionary()).get("/Fields", pikepdf.Array())
            return any(field.get("/FT") == "/Sig" and "/V" in field for field in fields)
    except pikepdf.PdfError as error:
        raise UnreadablePdf("is no readable PDF") from error


def read_roots(path: Path) -> tuple[Any, ...]:
    """Return the certificates of a PEM or DER file to trust. Raises InvalidInput when there is none."""
    try:
        from pyhanko.keys import load_certs_from_pemder  # noqa: PLC0415
    except ImportError as error:
        raise SigningUnavailable from error
    try:
        roots = tuple(load_certs_from_pemder([str(path)]))  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InvalidInput([_problem("--trust", f"{path} holds no certificate", "name a PEM file")]) from error
    if not roots:
        raise InvalidInput([_problem("--trust", f"{path} holds no certificate", "name a PEM file")])
    return roots


def check_signatures(content: bytes, roots: tuple[Any, ...] = ()) -> tuple[SignatureStatus, ...]:
    """Return the state of every signature of a PDF. Raises SigningUnavailable without the extra, UnreadablePdf."""
    try:
        from pyhanko.pdf_utils.misc import PdfError  # noqa: PLC0415
        from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415
        from pyhanko.sign.general import SigningError  # noqa: PLC0415
        from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415
        from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415
    except ImportError as error:
        raise SigningUnavailable from error
    context = ValidationContext(trust_roots=list(roots), allow_fetching=False)
    try:
        return tuple(
            _status(validate_pdf_signature(embedded, signer_validation_context=context), bool(roots))
            for embedded in PdfFileReader(io.BytesIO(content)).embedded_signatures
        )
    except (PdfError, SigningError, ValueError) as error:
        raise UnreadablePdf(f"has a signature that cannot be read: {error}") from error


def _status(status: Any, has_roots: bool) -> SignatureStatus:  # noqa: ANN401 - pyHanko's
    return SignatureStatus(
        signer=status.signing_cert.subject.human_friendly,
        certificate_sha256=status.signing_cert.sha256.hex(),
        signed_at="" if status.signer_reported_dt is None else status.signer_reported_dt.isoformat(),
        is_sound=status.intact and status.valid and status.coverage.name == "ENTIRE_FILE",
        is_trusted=status.trusted if has_roots else None,
    )


def _from_file(reference: str, passphrase: bytes | None) -> Signer:
    from pyhanko.sign import SimpleSigner  # noqa: PLC0415

    try:
        signer = SimpleSigner.load_pkcs12_data(Path(reference).read_bytes(), other_certs=[], passphrase=passphrase)
    except OSError as error:
        raise InvalidInput([_problem("--sign", f"{reference} cannot be read: {error.strerror}", _FILE_CURE)]) from error
    except (ValueError, TypeError, AttributeError) as error:  # the last two when it holds no key
        message = f"{reference} cannot be opened, or holds no key"
        raise InvalidInput([_problem("--sign", message, _FILE_CURE)]) from error
    return signer


def _from_token(reference: str, pin: bytes | None) -> Signer:
    from pkcs11 import PKCS11Error  # noqa: PLC0415
    from pyhanko.config.pkcs11 import TokenCriteria  # noqa: PLC0415
    from pyhanko.sign.pkcs11 import PKCS11Signer, open_pkcs11_session  # noqa: PLC0415

    named = _attributes(reference)
    absent = [name for name in ("module-path", "token", "object") if name not in named]
    if absent:
        raise InvalidInput([_problem("--sign", f"{reference} names no {', '.join(absent)}", _URI_CURE)])
    try:
        session = open_pkcs11_session(
            named["module-path"],
            token_criteria=TokenCriteria(label=named["token"]),
            user_pin=None if pin is None else pin.decode("utf-8"),
        )
        signer = PKCS11Signer(session, cert_label=named["object"], key_label=named["object"])
        if signer.signing_cert is None:
            raise InvalidInput([_problem("--sign", f"the token has no {named['object']}", _URI_CURE)])
    except (PKCS11Error, OSError, RuntimeError, LookupError) as error:
        message = f"the token cannot be used: {type(error).__name__}"
        raise InvalidInput([_problem("--sign", message, _URI_CURE)]) from error
    return signer


def _attributes(reference: str) -> Mapping[str, str]:
    path, _, query = reference.removeprefix(PKCS11).partition("?")
    pairs = (pair.partition("=") for pair in (*path.split(";"), *query.split("&")))
    return {name: unquote(value) for name, _, value in pairs if value}


def _problem(place: str, message: str, cure: str) -> Problem:
    return Problem(file=place, line=None, place="", message=message, cure=cure)
