"""Read and write security descriptors with Samba's library.

Run by the system's Python, which has Samba's modules: `read_descriptors.py < questions.json`. Takes lists of
hexadecimal descriptors to `unpack`, of others to `print` as SDDL, of SDDL texts to `parse`, and of triples of a
hexadecimal descriptor, the SIDs of a token and a right to `grant`; prints the answers under the same names. What is
unpacked or parsed comes as owner, group, control bits and ACEs, or as null where the library refuses it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from samba import NTSTATUSError  # type: ignore[import-not-found]
from samba.dcerpc import security  # type: ignore[import-not-found]
from samba.ndr import ndr_unpack  # type: ignore[import-not-found]
from samba.security import access_check  # type: ignore[import-not-found]

OBJECT_TYPES = frozenset({0x05, 0x06, 0x07, 0x08})
OBJECT_TYPE_PRESENT, INHERITED_OBJECT_TYPE_PRESENT = 1, 2  # MS-DTYP 2.4.4.3
NO_DOMAIN = security.dom_sid("S-1-5-21-0-0-0")


def main() -> None:
    """Answer everything."""
    questions = json.load(sys.stdin)
    answers = {
        "unpack": [unpack(bytes.fromhex(text)) for text in questions["unpack"]],
        "print": [ndr_unpack(security.descriptor, bytes.fromhex(text)).as_sddl() for text in questions["print"]],
        "parse": [content(security.descriptor.from_sddl(text, NO_DOMAIN)) for text in questions["parse"]],
        "grant": [is_granted(bytes.fromhex(text), sids, right) for text, sids, right in questions["grant"]],
    }
    json.dump(answers, sys.stdout)


def unpack(raw: bytes) -> list[Any] | None:
    """Return the content of a binary descriptor, None when it is none."""
    try:
        return content(ndr_unpack(security.descriptor, raw))
    except RuntimeError:
        return None


def is_granted(raw: bytes, sids: list[str], right: int) -> bool:
    """Tell whether the library's access check for files grants a right to a token; it knows no object types."""
    token = security.token()
    token.sids = [security.dom_sid(sid) for sid in sids]
    token.num_sids = len(sids)
    try:
        access_check(ndr_unpack(security.descriptor, raw), token, right)
    except NTSTATUSError:
        return False
    return True


def content(descriptor: Any) -> list[Any]:
    """Return owner, group, control bits and ACEs."""
    aces = None if descriptor.dacl is None else [ace_content(ace) for ace in descriptor.dacl.aces]
    return [text(descriptor.owner_sid), text(descriptor.group_sid), descriptor.type, aces]


def ace_content(ace: Any) -> list[Any]:
    """Return type, flags, mask, trustee, object type and inherited object type."""
    present = ace.object.flags if ace.type in OBJECT_TYPES else 0
    object_type = str(ace.object.type) if present & OBJECT_TYPE_PRESENT else None
    inherited_type = str(ace.object.inherited_type) if present & INHERITED_OBJECT_TYPE_PRESENT else None
    return [ace.type, ace.flags, ace.access_mask, str(ace.trustee), object_type, inherited_type]


def text(sid: Any) -> str | None:
    """Return a SID as text."""
    return None if sid is None else str(sid)


if __name__ == "__main__":
    main()
