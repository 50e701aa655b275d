"""What a run folder holds so that it can be judged again: evidence, matrices, and who collected it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.collect.replay import copy_evidence, read_evidence
from auditor.errors import InvalidInput, Problem, collecting
from auditor.history.manifest import altered_evidence
from auditor.inventory.entries import ReplayEntry
from auditor.matrix.load import DEFAULT_PROFILE, load_matrix, load_profile_file
from auditor.model.results import RunKind  # noqa: TC001 - pydantic reads the annotations at run time
from auditor.processes import here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.collect.stored_evidence import EvidencePath
    from auditor.inventory.entries import InventoryEntry
    from auditor.matrix.profile import Matrix
    from auditor.model.evidence import Evidence
    from auditor.preparation import Prepared
    from auditor.processes import Spread
    from auditor.redaction.records import Redactor

RUN_FILE = "run.json"


# Both name files below the run folder: whatever a run file says, they stay there.
_ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_MatrixFile = Annotated[str, Field(pattern=r"^matrix-[0-9a-f]{12}\.yaml$")]


class _Connection(BaseModel):
    """One connection. `altered` is kept when its evidence is copied: the copy's own manifest would not tell."""

    model_config = ConfigDict(extra="forbid")
    id: _ConnectionId
    name: str | None
    matrix: _MatrixFile
    altered: tuple[str, ...] = ()


class RunFile(BaseModel):
    """`inputs/run.json`: what the results say about the run besides the evidence. Holds no secrets.

    `kind` is what the run was made for; evidence that was collected alone, and a file without it, is for a review.
    """

    model_config = ConfigDict(extra="forbid")
    schema_version: str = "1.0"
    kind: RunKind = "review"
    organisation: str
    operator: str
    host: str
    tool_version: str
    argv: tuple[str, ...]
    default_matrix: _MatrixFile
    connections: tuple[_Connection, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedConnection:
    """One connection of a recorded run, under the id and the name of the inventory that listed it."""

    folder: EvidencePath
    id: str
    name: str | None
    matrix: Matrix
    altered: tuple[str, ...] = ()

    def evidence(self) -> Evidence:
        """Read the evidence. Raises InvalidInput when it cannot be used."""
        evidence = read_evidence(self.folder)
        connection = replace(evidence.connection, id=self.id, name=self.name or evidence.connection.name)
        return replace(evidence, connection=connection, altered=self.altered)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """A run that can be judged. Evidence is read when it is asked for, so that memory stays flat."""

    folder: Path
    facts: RunFile
    connections: tuple[RecordedConnection, ...]
    default_matrix: Matrix

    @property
    def inputs(self) -> Iterator[tuple[Evidence, Matrix]]:
        """Each connection's evidence with its matrix."""
        return ((connection.evidence(), connection.matrix) for connection in self.connections)

    def require_usable(self) -> None:
        """Raise InvalidInput when there is a connection whose evidence cannot be used, with the problems of all."""
        problems: list[Problem] = []
        for connection in self.connections:
            collecting(problems, connection.evidence)
        if problems:
            raise InvalidInput(problems)


def write_inputs(  # noqa: PLR0913 - what the results say about a run
    folder: Path,
    prepared: Prepared,
    *,
    operator: str,
    host: str,
    tool_version: str,
    argv: tuple[str, ...],
    kind: RunKind = "review",
) -> None:
    """Write `inputs/`: the inventory as used (it holds references, never secrets), the matrices, and run.json."""
    inputs = folder / "inputs"
    inputs.mkdir()
    shutil.copyfile(prepared.inventory.path, inventory_copy(folder, prepared.inventory.path))
    matrices = {matrix.sha256: matrix for matrix in (*prepared.matrices.values(), prepared.default_matrix)}
    replays = [entry for entry in prepared.entries if isinstance(entry, ReplayEntry)]
    found = altered_evidence([entry.folder for entry in replays])
    altered = {entry.id: differences for entry, differences in zip(replays, found, strict=True)}
    for matrix in matrices.values():
        (inputs / _matrix_file(matrix)).write_bytes(matrix.content)
    facts = RunFile(
        kind=kind,
        organisation=prepared.inventory.organisation,
        operator=operator,
        host=host,
        tool_version=tool_version,
        argv=argv,
        default_matrix=_matrix_file(prepared.default_matrix),
        connections=tuple(
            _Connection(
                id=entry.id,
                name=_name(entry),
                matrix=_matrix_file(prepared.matrices[entry.id]),
                altered=altered.get(entry.id, ()),
            )
            for entry in prepared.entries
        ),
    )
    text = json.dumps(facts.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
    (inputs / RUN_FILE).write_text(text, encoding="utf-8", newline="\n")


def inventory_copy(folder: Path, inventory: Path) -> Path:
    """Return where a run folder keeps the inventory that was used."""
    return folder / "inputs" / f"inventory{inventory.suffix}"


def _name(entry: InventoryEntry) -> str | None:
    return entry.name if isinstance(entry, ReplayEntry) else entry.connection.name


def _matrix_file(matrix: Matrix) -> str:
    return f"matrix-{matrix.sha256[:12]}.yaml"


def evidence_folders(recorded: Path) -> dict[str, Path]:
    """Return where a recorded run has the evidence of each connection, by its id."""
    facts = RunFile.model_validate_json((recorded / "inputs" / RUN_FILE).read_bytes())
    return {each.id: recorded / "evidence" / each.id for each in facts.connections}


def write_redacted_run(recorded: Path, folder: Path, redactor: Redactor) -> None:
    """Write a collected run into `folder` without the organisation: pseudonyms for names, no inventory, nobody's name.

    The matrices stay as they are: without them it cannot be judged.
    """
    from auditor.redaction.evidence import REDACTED, redact_evidence  # noqa: PLC0415 - few runs are redacted

    facts = _with_alterations(recorded, RunFile.model_validate_json((recorded / "inputs" / RUN_FILE).read_bytes()))
    new_ids = redact_evidence(evidence_folders(recorded), folder / "evidence", redactor)
    inputs = folder / "inputs"
    inputs.mkdir()
    for matrix in {facts.default_matrix, *(each.matrix for each in facts.connections)}:
        shutil.copyfile(recorded / "inputs" / matrix, inputs / matrix)
    redacted = RunFile(
        kind=facts.kind,
        organisation=REDACTED,
        operator=REDACTED,
        host=REDACTED,
        tool_version=facts.tool_version,
        argv=(),
        default_matrix=facts.default_matrix,
        connections=tuple(
            _Connection(
                id=new_id, name=None, matrix=each.matrix, altered=_without_names(each.altered)
            )
            for new_id, each in zip(new_ids, facts.connections, strict=True)
        ),
    )
    text = json.dumps(redacted.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
    (inputs / RUN_FILE).write_text(text, encoding="utf-8", newline="\n")


def _without_names(altered: tuple[str, ...]) -> tuple[str, ...]:
    """Return how much was altered: a file that somebody added may have any name."""
    return (f"{len(altered)} of its files: not as the manifest records them",) if altered else ()


def read_recorded_run(folder: Path) -> RecordedRun:
    """Read a run folder, or the evidence folder of a single connection.

    A single connection's evidence is judged against the profile it was recorded with. Raises
    InvalidInput when there is none; `require_usable` looks at the evidence itself.
    """
    if (folder / "connection.json").is_file():
        try:
            return _single_connection(folder)
        except ValidationError as error:
            raise InvalidInput([_unusable(folder, "names a connection by an id that is none")]) from error
    if folder.name == "evidence" and (folder.parent / "inputs" / RUN_FILE).is_file():
        folder = folder.parent
    try:
        facts = RunFile.model_validate_json((folder / "inputs" / RUN_FILE).read_bytes())
    except (OSError, ValidationError) as error:
        raise InvalidInput([_unusable(folder, f"holds no recorded run ({type(error).__name__})")]) from error
    facts = _with_alterations(folder, facts)
    names = dict.fromkeys((*(each.matrix for each in facts.connections), facts.default_matrix))
    matrices = {name: _matrix(folder, name) for name in names}
    connections = tuple(
        RecordedConnection(
            folder=folder / "evidence" / each.id,
            id=each.id,
            name=each.name,
            matrix=matrices[each.matrix],
            altered=each.altered,
        )
        for each in facts.connections
    )
    return RecordedRun(
        folder=folder, facts=facts, connections=connections, default_matrix=matrices[facts.default_matrix]
    )


def _with_alterations(folder: Path, facts: RunFile) -> RunFile:
    """Return the facts with what is no longer as the run's manifest records it."""
    found = altered_evidence([folder / "evidence" / each.id for each in facts.connections])
    connections = tuple(
        each.model_copy(update={"altered": tuple(dict.fromkeys((*each.altered, *differences)))})
        for each, differences in zip(facts.connections, found, strict=True)
    )
    return facts.model_copy(update={"connections": connections})


def _matrix(folder: Path, name: str) -> Matrix:
    """Load a matrix of the run; its file's name holds the start of its digest."""
    matrix = load_profile_file(folder / "inputs" / name)
    if _matrix_file(matrix) != name:
        raise InvalidInput([_unusable(folder, f"{name} is not the matrix that was used: its SHA-256 differs")])
    return matrix


def _unusable(folder: Path, message: str) -> Problem:
    cure = "give a folder of `auditor collect` or `auditor run`, or a connection's folder in evidence/"
    return Problem(file=str(folder), line=None, place="RUN", message=message, cure=cure)


def _single_connection(folder: Path) -> RecordedRun:
    evidence = read_evidence(folder)
    profile = evidence.connection.profile
    matrix = load_matrix(profile or DEFAULT_PROFILE)
    (altered,) = altered_evidence([folder])
    facts = RunFile(
        organisation="",
        operator=evidence.collected_by.get("operator", ""),
        host=evidence.collected_by.get("host", ""),
        tool_version=evidence.collected_by.get("tool_version", ""),
        argv=(),
        default_matrix=_matrix_file(matrix),
        connections=(
            _Connection(id=evidence.connection.id, name=None, matrix=_matrix_file(matrix), altered=altered),
        ),
    )
    connection = RecordedConnection(
        folder=folder, id=evidence.connection.id, name=None, matrix=matrix, altered=altered
    )
    return RecordedRun(folder=folder, facts=facts, connections=(connection,), default_matrix=matrix)


def copy_recorded_run(recorded: RecordedRun, folder: Path, spread: Spread = here) -> None:
    """Copy evidence and inputs into a new run folder, so that it can be verified and judged by itself."""
    (folder / "inputs").mkdir()
    matrices = {each.matrix.sha256: each.matrix for each in recorded.connections} | {
        recorded.default_matrix.sha256: recorded.default_matrix
    }
    for matrix in matrices.values():
        (folder / "inputs" / _matrix_file(matrix)).write_bytes(matrix.content)
    text = json.dumps(recorded.facts.model_dump(mode="json"), ensure_ascii=False, indent=1) + "\n"
    (folder / "inputs" / RUN_FILE).write_text(text, encoding="utf-8", newline="\n")
    for inventory in (recorded.folder / "inputs").glob("inventory*"):
        if not inventory.is_symlink():
            shutil.copyfile(inventory, folder / "inputs" / inventory.name)
    for _ in spread(partial(_copy_connection, folder), recorded.connections):
        pass


def _copy_connection(folder: Path, connection: RecordedConnection) -> None:
    copy_evidence(connection.folder, folder / "evidence" / connection.id)
