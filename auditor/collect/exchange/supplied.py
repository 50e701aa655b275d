"""What an administrator exported from Exchange Online, in the place of Exchange Online itself.

The file is written by `least_privilege/exchange_export.ps1`. Its answers are taken as they are and marked as supplied:
nobody can tell afterwards whether they are what Exchange said.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from auditor.collect.https.answers import one_line
from auditor.collect.https.service import Page
from auditor.errors import InvalidInput, Problem, SourceError
from auditor.model.evidence import Gap, GapKind
from auditor.model.instants import parse_instant
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from auditor.collect.https.service import LeastRight
    from auditor.collect.https.transport import Call
    from auditor.model.evidence import Json, Record

_ABSENT = "couldn't be found"  # Exchange's words for an object that does not exist, in English sessions


def _instant(text: str) -> str:
    parse_instant(text)
    return text


_Instant = Annotated[str, AfterValidator(_instant)]


class _Call(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cmdlet: str
    parameters: dict[str, Any]
    started_at: _Instant
    finished_at: _Instant
    error: str | None
    records: list[dict[str, Any]]


class _Export(BaseModel):
    model_config = ConfigDict(extra="forbid")
    format: Literal["hire2retire-permission-auditor/exchange-export"]
    version: Literal[1]
    tenant_id: str
    exported_by: str
    exported_at: _Instant
    calls: list[_Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedAnswers:
    """Answers the questions to Exchange Online from an export; raises SourceError for what is not in it.

    `base` is what the evidence names as the endpoint, `provenance` what it adds to each query.
    """

    base: str
    provenance: Mapping[str, Json]
    tenant_id: str
    _calls: Mapping[str, _Call]
    _refusal: list[Gap] = field(default_factory=list)

    def require_tenant(self, tenant_id: str | None) -> None:
        """Answer nothing from now on if the tenant that is audited is known to be another one."""
        if tenant_id is not None and tenant_id.casefold() != self.tenant_id.casefold():
            own = one_line(self.tenant_id)
            message = say("the supplied export is of tenant {own}, not of {audited}", own=own, audited=tenant_id)
            self._refusal.append(Gap(kind=GapKind.MALFORMED, message=message))

    def pages(self, call: Call, right: LeastRight) -> Iterator[Page]:
        """Yield the one page that answers a call."""
        del right
        for refusal in self._refusal:
            raise SourceError(refusal)
        found = self._calls.get(_key(**_command(call)))
        if found is None:
            message = say("{call} is not in the supplied export for what is asked here", call=call.name)
            raise SourceError(Gap(kind=GapKind.NOT_ATTEMPTED, message=message))
        yield Page(
            number=1,
            records=tuple(found.records),
            next_link=None,
            shortfall=None,
            answered=(parse_instant(found.started_at), parse_instant(found.finished_at)),
        )
        if found.error is not None:
            is_absent = _ABSENT in found.error and not found.records
            error = one_line(found.error)
            message = say("{call} failed when it was exported: {error}", call=call.name, error=error)
            raise SourceError(Gap(kind=GapKind.NOT_FOUND if is_absent else GapKind.INCOMPLETE, message=message))

    def ask(self, call: Call, right: LeastRight) -> Record:
        """Exchange is only asked for lists."""
        raise NotImplementedError(f"{call.name} asks for one object ({right.of_application})")


def load_export(path: Path) -> SuppliedAnswers:
    """Read an export. Raises InvalidInput when it is none, or not whole."""
    try:
        content = path.read_bytes()
        export = _Export.model_validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise _unusable(path, f"is no export of Exchange Online: {place}: {first['msg']}") from error
    supplied: dict[str, Json] = {
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "exported_by": export.exported_by,
        "exported_at": export.exported_at,
    }
    return SuppliedAnswers(
        base=f"supplied: {path.name}, exported by {one_line(export.exported_by)}",
        provenance={"supplied": supplied},
        tenant_id=export.tenant_id,
        _calls={_key(call.cmdlet, call.parameters): call for call in export.calls},
    )


def _key(cmdlet: str, parameters: Mapping[str, Any]) -> str:
    """Return what two equal calls have in common: Exchange compares identities without case."""
    return json.dumps([cmdlet, parameters], sort_keys=True).casefold()


def _command(call: Call) -> dict[str, Any]:
    command = json.loads(call.body or b"{}")["CmdletInput"]
    return {"cmdlet": command["CmdletName"], "parameters": command["Parameters"]}


def _unusable(path: Path, message: str) -> InvalidInput:
    cure = "write it with the script of `auditor doctor --script exchange-export`"
    return InvalidInput([Problem(file=str(path), line=None, place="--import", message=message, cure=cure)])
