"""What is said of the user task on one target OU: the reason, what is held, where it fails, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.acl import AccessMask, GuidKind, name_of_object_type, rights_in_words, well_known_guid
from auditor.evaluate.directory.origin import origin_of
from auditor.evaluate.directory.user_task import is_deletion_guard
from auditor.evaluate.judgement import describe_gap
from auditor.evaluate.listing import and_more
from auditor.evaluate.remediation import delegate
from auditor.model.distinguished_name import dns_above
from auditor.model.message import joined, say, written
from auditor.model.outcome import Outcome
from auditor.model.results import Remediation

if TYPE_CHECKING:
    from auditor.acl import Ace
    from auditor.evaluate.directory.membership import Membership
    from auditor.evaluate.directory.subtree import Container, Subtree
    from auditor.evaluate.directory.user_task import PartDecision, TaskPart
    from auditor.model.message import Message

_NAMES_SHOWN = 5
_ORGANIZATIONAL_UNIT = well_known_guid("organizationalUnit", GuidKind.CLASS)


def reason_in_words(
    outcome: Outcome,
    subtree: Subtree,
    parts: tuple[PartDecision, ...],
    failing: dict[TaskPart, list[str]],
    denials: dict[TaskPart, Message],
) -> Message:
    """Say why the outcome is what it is. `failing` are the DNs at which each part is not held."""
    if outcome is Outcome.SATISFIED:
        count = len(subtree.readable) - 1
        if not count:
            return say("the user task is delegated on the OU")
        return say(
            "the user task is delegated on the OU and reaches the one container below"
            if count == 1
            else "the user task is delegated on the OU and reaches all {count} containers below",
            count=count,
        )
    if outcome is Outcome.MISSING:
        return say("nothing beyond reading is delegated to the account or its groups")
    sentences = list(denials.values())
    sentences += _where_failing({part: dns for part, dns in failing.items() if dns and part not in denials}, subtree)
    if any(not part.is_certain for part in parts):
        sentences.append(say("a conditional ACE decides, and its condition cannot be evaluated from outside"))
    if subtree.unread:
        sentences.append(
            say(
                "security descriptors not readable: {unread} (needed: Read permissions)",
                unread=_some(subtree.unread),
            )
        )
    if subtree.unlisted:
        listed = _some(subtree.unlisted)
        sentences.append(
            say(
                "contents not listed to the auditing identity: {listed} (needed: List contents)",
                listed=listed,
            )
        )
    if subtree.gap is not None:
        sentences.append(describe_gap(subtree.gap))
    return joined("; ", dict.fromkeys(sentences))


def denials_in_words(
    subtree: Subtree, parts: tuple[PartDecision, ...], membership: Membership
) -> dict[TaskPart, Message]:
    """Say for each part that a deny ACE on the OU defeats what is denied to whom."""
    found = {}
    for part in parts:
        ace = part.denied_by
        if ace is not None:
            (index,) = indexes_in(subtree.target, (ace,))
            what, whom = _denied_in_words(ace), membership.names.get(ace.trustee, ace.trustee)
            found[part.part] = say(
                "deny ACE {index} on {dn} takes {what} from {whom}",
                index=index,
                dn=subtree.target.dn,
                what=what,
                whom=whom,
            )
    return found


def held_in_words(parts: tuple[PartDecision, ...], failing: dict[TaskPart, list[str]]) -> Message:
    """Say which parts are held, and which of them not everywhere below."""
    held = [written(str(part.part)) for part in parts if part.is_held and not failing[part.part]]
    partly = [
        say("{part} (not everywhere below)", part=written(str(part.part)))
        for part in parts
        if part.is_held and failing[part.part]
    ]
    return joined(", ", held + partly) if held or partly else say("none of the three rights")


def note_in_words(subtree: Subtree, parts: tuple[PartDecision, ...]) -> Message:
    """Say which of the entries that grant are inherited, and from where; or what a NULL DACL means."""
    if any(part.is_null_dacl for part in parts):
        return say("The OU has a NULL DACL: everyone may do everything on it, and users below inherit nothing.")
    dacl = subtree.target.descriptor.dacl if subtree.target.descriptor else None
    indexes = sorted({
        index for part in parts for index in indexes_in(subtree.target, part.aces) if dacl and dacl[index].is_inherited
    })
    return joined(
        " ",
        (
            say("ACE {index} is inherited from {origin}.", index=index, origin=_origin(subtree, dacl[index]))
            for index in indexes
            if dacl is not None
        ),
    )


def place_in_words(dns: tuple[str, ...], subtree: Subtree) -> Message:
    """Say where a part is not held, the target itself first."""
    if dns[0] == subtree.target.dn:
        return say("not delegated on the OU itself")
    failing = set(dns)
    is_blocked = any(
        each.dn in failing for each in subtree.readable if each.descriptor and each.descriptor.is_dacl_protected
    )
    return say(
        "the delegation does not reach {dns} (inheritance is blocked there)"
        if is_blocked
        else "the delegation does not reach {dns}",
        dns=_some(dns),
    )


def advice(
    subtree: Subtree,
    parts: tuple[PartDecision, ...],
    failing: dict[TaskPart, list[str]],
    denials: dict[TaskPart, Message],
    trustee: str,
) -> Remediation | None:
    """Say what to do: about the denials, else what to delegate and where; None when nothing is lacking."""
    if denials:
        told = joined("; ", dict.fromkeys(denials.values()))
        if all(is_deletion_guard(part.denied_by) for part in parts if part.denied_by is not None):
            return Remediation(
                text=say(
                    "{told}. Such an entry protects an OU below from accidental deletion: keep it, and accept this "
                    "with a waiver. The account deletes each user that it controls all the same.",
                    told=told,
                )
            )
        return Remediation(
            text=say(
                "{told}. Remove that entry; where it names a group, leaving the group helps as well.",
                told=told,
            )
        )
    lacking = {dn for dns in failing.values() for dn in dns}
    highest = [dn for dn in sorted(lacking) if not _will_inherit(dn, lacking, subtree)]
    return delegate(highest, trustee) if highest else None


def _will_inherit(dn: str, delegated: set[str], subtree: Subtree) -> bool:
    """Tell whether a container inherits what is delegated on those, with none in between that blocks inheritance."""
    blocking = {each.dn for each in subtree.readable if each.descriptor and each.descriptor.is_dacl_protected}
    heir = dn
    for above in dns_above(dn):
        if heir in blocking:
            return False
        if above in delegated:
            return True
        heir = above
    return False


def indexes_in(container: Container, aces: tuple[Ace, ...]) -> list[int]:
    """Return where entries stand in a container's DACL."""
    dacl = container.descriptor.dacl if container.descriptor else None
    return sorted(dacl.index(ace) for ace in aces) if dacl else []


def _where_failing(failing: dict[TaskPart, list[str]], subtree: Subtree) -> list[Message]:
    """Say where parts fail; parts that fail at the same places are told together."""
    places: dict[tuple[str, ...], list[Message]] = {}
    for part, dns in failing.items():
        places.setdefault(tuple(dns), []).append(written(str(part)))
    return [joined(": ", (joined(say(" and "), parts), place_in_words(dns, subtree))) for dns, parts in places.items()]


def _denied_in_words(ace: Ace) -> Message:
    words = joined(say(" and "), map(written, rights_in_words(ace.mask)))
    if ace.object_type is None:
        return words
    names = (name_of_object_type(ace.object_type, AccessMask(bit)) for bit in AccessMask(ace.rights))
    return say("{words} ({name})", words=words, name=next((name for name in names if name), ace.object_type))


def _origin(subtree: Subtree, ace: Ace) -> Message:
    """Say where an inherited ACE of the target comes from."""
    above = {container.dn: container.descriptor for container in subtree.above}
    return origin_of(subtree.target.dn, ace, _ORGANIZATIONAL_UNIT, above.get).words


def _some(names: tuple[str, ...] | list[str]) -> Message:
    more = and_more(names, _NAMES_SHOWN, "; ")
    return joined("", ("; ".join(names[:_NAMES_SHOWN]), more))
