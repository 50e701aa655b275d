"""`auditor access`: what the audited account may really do, object by object."""

from __future__ import annotations

import json
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.console import LogFormat, say, visible
from auditor.cli.invocation import ask, invocation, prompt
from auditor.cli.options import AsJson, Config, LogFormatOption, NoProgress, Quiet, Verbose
from auditor.cli.progress import Telling, progress
from auditor.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.evaluate.directory.access import AccessQuestion, Explanation, ObjectAccess
    from auditor.model.evidence import Evidence

_RIGHTS = ("create_child", "delete_child", "write_property", "extended_rights", "standard", "validated_writes")


def access(
    config: Config = Path("inventory.yaml"),
    connection: Annotated[
        str | None, typer.Option("--connection", help="The hybrid connection; may be left out when there is one.")
    ] = None,
    object_dn: Annotated[
        str | None,
        typer.Option("--object", metavar="DN", help="Only this object; it may lie outside the target OUs."),
    ] = None,
    without_domain_admins: Annotated[
        bool, typer.Option("--without-domain-admins", help="As if the account had left Domain Admins.")
    ] = False,
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="RIGHT",
            help="Explain one right: create_child:user, write_property:member, WRITE_DAC, User-Force-Change-Password.",
        ),
    ] = None,
    as_json: AsJson = False,
    no_progress: NoProgress = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    log_format: LogFormatOption = LogFormat.TEXT,
) -> None:
    """Show what the audited account may do with each object in its target and group OUs.

    With --json one object is printed per line. Exit codes: 0 everything was read; 3 something could not be read;
    2 an input file or option is wrong.
    """
    from auditor import examination  # noqa: PLC0415 - --help must not load the collectors
    from auditor.evaluate.directory.access import access_to_objects  # noqa: PLC0415
    from auditor.preparation import prepare  # noqa: PLC0415

    _require_dn(object_dn)
    prepared = prepare(config, (connection,) if connection else (), ask, prompt())
    entry = _only_hybrid(prepared.entries, config)
    telling = Telling(no_progress=no_progress, quiet=quiet, verbose=verbose, log_format=log_format)
    with (
        progress(telling) as announce,
        examination.evidence_of(prepared, entry, invocation(), announce, object_dn) as evidence,
    ):
        question = _question(evidence, without_domain_admins=without_domain_admins, explain=explain)
        answers = _print(access_to_objects(evidence, question, object_dn), as_json=as_json)
        gaps = len([source for source in evidence.sources if not source.complete])
    unknown = sum(answer.rights is None for answer in answers)
    objects = "1 object" if len(answers) == 1 else f"{len(answers)} objects"
    if unknown or gaps or not answers:
        say(
            f"auditor: {objects}, the rights on {unknown} of them not known, {gaps} reads not complete; "
            "exit 3 (something could not be read)"
        )
        raise typer.Exit(3)
    say(f"auditor: {objects}; exit 0 (everything was read)")


def _require_dn(text: str | None) -> None:
    from auditor.model.distinguished_name import parse_dn  # noqa: PLC0415

    try:
        if text is not None:
            parse_dn(text)
    except ValueError as error:
        raise _refused("--object", str(error), "write a distinguished name") from error


def _refused(place: str, message: str, cure: str, *, was_contacted: bool = False) -> InvalidInput:
    problem = Problem(file="command line", line=None, place=place, message=message, cure=cure)
    return InvalidInput([problem], was_contacted=was_contacted)


def _only_hybrid(entries: Iterable[Any], config: Path) -> Any:  # noqa: ANN401 - entries of either kind
    hybrid = [entry for entry in entries if entry.kind == "hybrid"]
    if len(hybrid) == 1:
        return hybrid[0]
    message = "this is no hybrid connection" if not hybrid else f"{config} has {len(hybrid)} hybrid connections"
    names = ", ".join(entry.id for entry in hybrid) or "none of those selected"
    raise _refused("--connection", message, f"name one hybrid connection: {names}")


def _question(evidence: Evidence, *, without_domain_admins: bool, explain: str | None) -> AccessQuestion:
    from auditor.evaluate.directory.access import AccessQuestion  # noqa: PLC0415
    from auditor.evaluate.directory.account import identify_account  # noqa: PLC0415
    from auditor.evaluate.directory.right import parse_right  # noqa: PLC0415
    from auditor.evaluate.directory.schema import read_schema  # noqa: PLC0415
    from auditor.evaluate.judgement import Unknown  # noqa: PLC0415
    from auditor.model.connection import HybridConnection  # noqa: PLC0415

    if not isinstance(evidence.connection, HybridConnection):
        raise TypeError(f"{evidence.connection.id} is no hybrid connection")
    account = identify_account(evidence, evidence.connection)
    if account.membership is None:
        reason = account.found.reason if isinstance(account.found, Unknown) else "its SID is not known"
        say(f"auditor: {evidence.connection.username}: {reason}; exit 3 (the account could not be read)")
        raise typer.Exit(3)
    if account.membership.token_gap is not None:
        say(f"the token may hold more: {account.membership.token_gap.message}")
    try:
        right = None if explain is None else parse_right(explain, read_schema(evidence))
    except ValueError as error:
        raise _refused("--explain", str(error), "choose one of these forms", was_contacted=True) from error
    return AccessQuestion(
        membership=account.membership, without_domain_admins=without_domain_admins, right=right
    )


def _print(answers: Iterable[ObjectAccess], *, as_json: bool) -> list[ObjectAccess]:
    printed = []
    for answer in answers:
        print(json.dumps(_to_plain(answer)) if as_json else "\n".join(_lines(answer)))
        printed.append(answer)
    return printed


def _to_plain(answer: ObjectAccess) -> dict[str, Any]:
    plain: dict[str, Any] = {"dn": answer.dn, "readable": answer.is_readable}
    for name in _RIGHTS:
        held = None if answer.rights is None else list(getattr(answer.rights, name))
        plain[name] = [] if held is None and not answer.is_readable else held
    plain["conditional"] = list(answer.rights.conditional) if answer.rights else []
    if answer.why:
        plain["reason"] = answer.why
    if answer.explanation is not None:
        plain["explain"] = _explanation_to_plain(answer.explanation)
    return plain


def _explanation_to_plain(explanation: Explanation) -> dict[str, Any]:
    ace = explanation.ace
    return {
        "right": explanation.right,
        "granted": explanation.granted,
        "certain": explanation.is_certain,
        "reason": str(explanation.reason),
        "ace": None
        if ace is None
        else {
            "index": ace.index,
            "sddl": ace.sddl,
            "trustee": ace.trustee,
            "trustee_name": ace.trustee_name,
            "words": ace.words,
            "inherited_from": ace.inherited_from,
        },
        "path": list(explanation.path),
    }


def _lines(answer: ObjectAccess) -> Iterable[str]:
    yield visible(answer.dn)
    if answer.why:
        yield visible(f"  not known          {answer.why}")
    if answer.explanation is not None:
        yield from _explanation_lines(answer.explanation)
    elif answer.rights is not None:
        for name in _RIGHTS:
            held = getattr(answer.rights, name)
            if held:
                yield from _wrapped(name.replace("_", " "), held)
        if not any(getattr(answer.rights, name) for name in _RIGHTS):
            yield "  nothing"
        if answer.rights.conditional:
            yield visible(f"  depends on a condition: {', '.join(answer.rights.conditional)}")


def _wrapped(title: str, names: Iterable[str]) -> list[str]:
    head = f"  {title.ljust(18)} "
    text = visible(", ".join(names))
    width = shutil.get_terminal_size().columns
    indent = " " * len(head)
    return textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _explanation_lines(explanation: Explanation) -> Iterable[str]:
    yield visible(f"  {explanation.right}: {'granted' if explanation.granted else 'not granted'}")
    if explanation.ace is None:
        reasons = {
            "null_dacl": "the object has no DACL: everyone may do everything",
            "empty_dacl": "the DACL is empty: nobody may do anything",
            "owner": "the account owns the object",
            "no_ace": "no entry speaks of it",
        }
        yield f"    {reasons[explanation.reason]}"
    else:
        yield visible(f"    ACE {explanation.ace.index} {explanation.ace.words}")
        yield visible(f"    {explanation.ace.sddl}")
        if explanation.ace.inherited_from is not None:
            yield visible(f"    inherited from {explanation.ace.inherited_from}")
    if explanation.path:
        yield visible(f"    {' -> '.join(explanation.path)}")
