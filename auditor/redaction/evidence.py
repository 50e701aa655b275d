"""Redacts the evidence of a run, file by file, so that it can be replayed and judged like the original."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

from auditor.acl import MalformedDescriptor, parse_descriptor
from auditor.collect.evidence_writer import messages_to_plain, source_to_plain
from auditor.collect.replay import read_evidence
from auditor.least_privilege.rights import GRAPH_PERMISSIONS
from auditor.matrix.load import known_profiles
from auditor.model.message import Message, say
from auditor.redaction.pseudonyms import GUID, Pseudonyms
from auditor.redaction.records import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from auditor.model.evidence import Evidence, Gap, Json, Record, Source

REDACTED = "redacted"
_PUBLIC_QUERY = frozenset({"attributes", "cmdlet", "controls", "header", "method", "scope", "sids_per_search"})
_HOSTS = frozenset({"hosts", "tls_server_name", "tenant"})


def redactor_of(folders: Iterable[Path], key: bytes | None) -> Redactor:
    """Return what redacts the evidence in `folders`. Raises InvalidInput for a folder that is no evidence.

    Without a key it is made of all that was read: the same evidence then gives the same pseudonyms, and nobody who has
    not all of it can make them.
    """
    folders = tuple(folders)
    redactor = Redactor(pseudonyms=Pseudonyms(key=_key_of(folders) if key is None else key))
    for folder in folders:
        for source, read in read_evidence(folder).reads:
            for record in read:
                redactor.learn(source.dataset, record)
    return redactor


def _key_of(folders: Iterable[Path]) -> bytes:
    """Digest evidence in another way than its manifest does, whose digests reports print."""
    digest = hashlib.sha256(b"key of a redaction")
    for folder in folders:
        for path in sorted(folder.rglob("*.json*")):
            digest.update(path.read_bytes())
    return digest.digest()


def redact_evidence(folders: Mapping[str, Path], target: Path, redactor: Redactor | None = None) -> tuple[str, ...]:
    """Write the evidence in `folders` (by connection id) redacted below `target`; return the new connection ids.

    Equal things have equal pseudonyms in all of it. Raises InvalidInput for a folder that is no evidence.
    """
    redactor = redactor or redactor_of(folders.values(), None)
    return tuple(_redact_connection(redactor, name, folder, target) for name, folder in folders.items())


def _redact_connection(redactor: Redactor, connection_id: str, folder: Path, target: Path) -> str:
    evidence = read_evidence(folder)
    header = json.loads((folder / "connection.json").read_bytes())
    header["connection"] = {name: _setting(redactor, name, value) for name, value in header["connection"].items()}
    header["collected_by"] = {
        name: value if name == "tool_version" else REDACTED for name, value in header["collected_by"].items()
    }
    new_id = header["connection"]["id"] = redactor.pseudonyms.name(connection_id)  # as the run calls it
    place = target / new_id
    place.mkdir(parents=True)
    _write_json(place / "connection.json", header)
    descriptors = _redact_descriptors(redactor, evidence, place)
    sources = [
        _redact_read(redactor, number, source, read, descriptors, place)
        for number, (source, read) in enumerate(evidence.reads)
    ]
    digest = hashlib.sha256((place / "descriptors.jsonl").read_bytes()).hexdigest()
    messages = messages_to_plain(each["gap"] and each["gap"]["missing_permission"] for each in sources)
    _write_json(
        place / "sources.json",
        {"format": 1, "descriptors_sha256": digest, "sources": sources, "messages": messages},
    )
    return new_id


def _setting(redactor: Redactor, name: str, value: Json) -> Json:
    """Redact one field of the connection as the operator wrote it down."""
    pseudonyms = redactor.pseudonyms
    if isinstance(value, list):
        return [_setting(redactor, name, each) for each in value]
    if isinstance(value, dict):
        return {each: _setting(redactor, each, inner) for each, inner in value.items()}
    if not isinstance(value, str):
        return value
    if name in _HOSTS and not GUID.fullmatch(value):
        return pseudonyms.host(value)
    if name == "profile":
        return value if value in known_profiles() else REDACTED
    if name in {"kind", "cloud"}:
        return value
    return pseudonyms.name(value) if name in {"id", "name", "linked_to", "ca_file"} else pseudonyms.text(value)


def _redact_descriptors(redactor: Redactor, evidence: Evidence, place: Path) -> dict[str, str]:
    """Write every descriptor with other domains in its SIDs; return the new digest of each."""
    digests: dict[str, str] = {}
    with (place / "descriptors.jsonl").open("wb") as stream:
        for old, raw in evidence.descriptors.items():
            redacted = redactor.pseudonyms.sids(_without_conditions(raw))
            new = digests[old] = hashlib.sha256(redacted).hexdigest()
            encoded = base64.b64encode(redacted).decode("ascii")
            stream.write(f'{{"sha256": "{new}", "descriptor": "{encoded}"}}\n'.encode("ascii"))
    return digests


def _without_conditions(raw: bytes) -> bytes:
    """Blank what follows the SID of an ACE: the condition of a callback ACE names attributes and their values."""
    try:
        dacl = parse_descriptor(raw).dacl or ()
    except MalformedDescriptor:
        return raw
    for ace in dacl:
        if ace.application_data:
            raw = raw.replace(ace.application_data, bytes(len(ace.application_data)))
    return raw


def _redact_read(
    redactor: Redactor,
    number: int,
    source: Source,
    records: Iterable[Record],
    descriptors: Mapping[str, str],
    place: Path,
) -> dict[str, Any]:
    filename = f"{number:03d}-{source.dataset}.jsonl"
    digest = hashlib.sha256()
    with (place / filename).open("wb") as stream:
        for record in records:
            redacted = redactor.record(source.dataset, record, descriptors)
            line = json.dumps(redacted, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
            stream.write(line + b"\n")
            digest.update(line + b"\n")
    return {
        **source_to_plain(source),
        "file": filename,
        "subject": redactor.pseudonyms.text(source.subject),
        "endpoint": redactor.pseudonyms.text(source.endpoint),
        "query": {name: _query(redactor, name, value) for name, value in source.query.items()},
        "gap": None if source.gap is None else _gap(source.gap),
        "sha256": digest.hexdigest(),
    }


def _query(redactor: Redactor, name: str, value: Json) -> Json:
    """Keep what the tool asks everybody; replace what it asked here, and leave filters out."""
    if name in _PUBLIC_QUERY or not isinstance(value, (str, list, dict)):
        return value
    if name in {"filter", "then"}:
        return REDACTED
    if isinstance(value, list):
        return [_query(redactor, name, each) for each in value]
    if isinstance(value, dict):
        return {each: _query(redactor, each, inner) for each, inner in value.items()}
    return redactor.pseudonyms.text(value)


def _gap(gap: Gap) -> dict[str, str | None]:
    """Keep the kind of failure and the right that is missing; the words of a failure may quote anything."""
    right = gap.missing_permission
    return {
        "kind": gap.kind,
        "message": f"{gap.kind} ({REDACTED})",
        "missing_permission": None if right is None else _right(right),
    }


def _right(right: Message) -> Message:
    """Return a right without what it names here: an object, a domain, a service of a host."""
    if right.values:
        public = {name: value if value in GRAPH_PERMISSIONS else REDACTED for name, value in right.values.items()}
        return say(right.template, **public)
    return Message(f"Read ({REDACTED})") if "=" in right else right  # evidence of earlier versions has no values


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")


