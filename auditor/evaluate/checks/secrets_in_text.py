"""AD-KRB-009: attributes that everybody may read and that look as if they hold a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.evaluate.checks.account_finding import account_finding, withheld
from auditor.evaluate.remediation import quote
from auditor.model.message import say
from auditor.model.outcome import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.evaluate.directory.judge import DirectoryFacts
    from auditor.model.results import Finding

_TEXTS = ("description", "info", "comment")
# A word for it in the languages of the vendor's customers, then a sign, then something to type
_NAMED = re.compile(
    r"\b(?:pass(?:word|wd|phrase|code|wort)?|pwd?|kennwort|secret|credential|mot de passe|mdp|contrase(?:ñ|n)a|"
    r"has(?:ł|l)o)\b\s*(?:[:=]|->|\bis\b|\bist\b|\best\b|\bes\b)\s*\S{4,}",
    re.IGNORECASE,
)
_SHORTEST, _LONGEST = 8, 64
_NOT_IN_PASSWORDS = re.compile(r"://|\\|^[^@]+@[^@]+\.[^@]+$|^\(|\)$")
_KINDS_OF_CHARACTER = tuple(map(re.compile, (r"[a-z]", r"[A-Z]", r"[0-9]", r"[!$%^&*?+~#@]")))


def check_secrets_in_text(facts: DirectoryFacts) -> Iterator[Finding]:
    """Report which attributes look like it, never what they say: the report goes further than the directory."""
    entry = facts.account.entry
    if entry is None:
        return
    yield from withheld(facts, entry, "AD-KRB-009", *_TEXTS)
    found = [name for name in _TEXTS if any(map(looks_like_a_secret, entry.texts(name)))]
    if found:
        yield account_finding(
            facts,
            check="AD-KRB-009",
            severity=Severity.HIGH,
            title=say("A readable attribute looks as if it held a password: {names}", names=", ".join(found)),
            actual=say(
                "{names} of the account; the text is in the evidence and not repeated here", names=", ".join(found)
            ),
            cure=say(
                "Read the attribute. If it is a password, set a new one first, then clear the attribute; every "
                "account of the domain could read it."
            ),
            commands=(f"Set-ADUser -Identity {quote(entry.dn)} -Clear {','.join(found)}",),
        )


def looks_like_a_secret(text: str) -> bool:
    """Tell whether a text names a password with its value, or has a word made as passwords are made."""
    return bool(_NAMED.search(text)) or any(map(_is_made_like_a_password, text.split()))


def _is_made_like_a_password(word: str) -> bool:
    if not _SHORTEST <= len(word) <= _LONGEST or _NOT_IN_PASSWORDS.search(word):
        return False
    return all(kind.search(word) for kind in _KINDS_OF_CHARACTER)
