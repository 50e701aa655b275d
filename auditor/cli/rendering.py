"""What a run writes, as the options say it: formats, the volume of evidence, a signature."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.cli.options import split_formats

if TYPE_CHECKING:
    from auditor.assignment import Formats
    from auditor.errors import Problem
    from auditor.model.sign_in import Secret

_PDFS = frozenset({"pdf", "appendix"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The options, as they were given. `default` is what is written when no format is named."""

    format_names: list[str] | None
    full_appendix: bool
    language: str
    sign: str | None
    sign_passphrase: str | None
    default: tuple[str, ...] = ()

    def formats(self) -> Formats:
        """Return what to write. Raises InvalidInput, with every problem, for an unknown format or an unusable key."""
        from auditor.assignment import Formats  # noqa: PLC0415
        from auditor.errors import InvalidInput, collecting  # noqa: PLC0415 - --help must not load it
        from auditor.report.formats import require_known_formats  # noqa: PLC0415

        names = split_formats(self.format_names) if self.format_names or not self.default else self.default
        names = tuple(dict.fromkeys((*names, "appendix"))) if self.full_appendix else names
        problems: list[Problem] = []
        collecting(problems, lambda: require_known_formats(names))
        if self.sign is not None and not _PDFS & set(names):
            problems.append(_problem("--sign", "there is no PDF to sign", "add pdf to --format"))
        signer = collecting(problems, self._signer)
        if problems:
            raise InvalidInput(problems)
        return Formats(
            names=names,
            are_chosen=bool(self.format_names or self.full_appendix or self.sign),
            signer=signer,
            language=self.language,
        )

    def _signer(self) -> Any | None:  # noqa: ANN401 - pyHanko's
        from auditor.errors import InvalidInput  # noqa: PLC0415

        if self.sign is None:
            if self.sign_passphrase is not None:
                raise InvalidInput([_problem("--sign-passphrase", "there is no key it opens", "add --sign")])
            return None
        from auditor.report.signature import open_key  # noqa: PLC0415

        secret = self._passphrase()
        return open_key(self.sign, None if secret is None else secret.value)

    def _passphrase(self) -> Secret | None:
        from auditor.cli.invocation import ask  # noqa: PLC0415
        from auditor.errors import InvalidInput  # noqa: PLC0415
        from auditor.inventory.entries import SecretUse  # noqa: PLC0415
        from auditor.inventory.fields import REFERENCE_FORMS, parse_secret_reference  # noqa: PLC0415
        from auditor.settings import resolve_secrets  # noqa: PLC0415

        if self.sign_passphrase is None:
            return None
        reference = parse_secret_reference(self.sign_passphrase, Path.cwd())
        if reference is None:  # no message repeats it: it may be the secret itself
            message = "must be a reference to a secret, never the secret itself"
            raise InvalidInput([_problem("--sign-passphrase", message, f"write {REFERENCE_FORMS}")])
        use = SecretUse(reference=reference, file="--sign-passphrase", line=None, place="the key that signs")
        return resolve_secrets([use], ask)[reference]


def _problem(file: str, message: str, cure: str) -> Problem:
    from auditor.errors import Problem  # noqa: PLC0415

    return Problem(file=file, line=None, place="", message=message, cure=cure)
