"""Finds an account by the forms of name that a bind accepts (MS-ADTS 5.1.1.1.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from auditor.collect.directory.filters import filter_value
from auditor.collect.directory.reader import not_held_here, require_found
from auditor.collect.directory.session import FoundObject, Scope, SearchRequest
from auditor.errors import SourceError
from auditor.model.distinguished_name import parsed_dn
from auditor.model.evidence import Gap, GapKind
from auditor.model.message import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.collect.directory.reader import DirectoryReader
    from auditor.collect.evidence_writer import OpenRead
    from auditor.model.distinguished_name import DistinguishedName
    from auditor.model.evidence import Json

_DNS_ZONES = frozenset({"domaindnszones", "forestdnszones"})  # application partitions, without accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSearch:
    """One search by name. `query` is filled with what was asked; `read` counts pages and keeps gaps."""

    reader: DirectoryReader
    read: OpenRead
    query: dict[str, Json]
    attributes: tuple[str, ...]

    def find(self, username: str, base_dns: Sequence[str]) -> list[FoundObject]:
        """Return the accounts of that name in the partitions that hold `base_dns`."""
        if _is_account_dn(username):
            return self._at(username)
        contexts = self._contexts(base_dns)
        if "\\" in username:
            domain, _, name = username.partition("\\")
            return self._named(name, self._contexts_of_domain(domain, contexts))
        if "@" not in username:
            return self._named(username, contexts)
        # MS-ADTS 5.1.1.1.1: a user principal name is the attribute, or else implied by sAMAccountName
        found = self._matching(f"(userPrincipalName={filter_value(username)})", contexts)
        name, _, suffix = username.rpartition("@")
        implied = () if found else self._contexts_of_suffix(suffix.lower(), contexts)
        return self._named(name, implied) if implied else found

    def _at(self, dn: str) -> list[FoundObject]:
        request = SearchRequest(base=dn, attributes=self.attributes)
        self.query.update(request.as_query())
        if self.reader.context_of(dn) is None:
            raise SourceError(not_held_here(self.reader, dn))
        answer = self.reader.object_at(self.read, request)
        if isinstance(answer, Gap) and answer.kind is GapKind.NOT_FOUND:
            return []
        return [require_found(answer)]

    def _named(self, name: str, contexts: Sequence[str]) -> list[FoundObject]:
        return self._matching(f"(sAMAccountName={filter_value(name)})", contexts)

    def _matching(self, filter_text: str, contexts: Sequence[str]) -> list[FoundObject]:
        requests = [
            SearchRequest(base=context, attributes=self.attributes, filter=filter_text, scope=Scope.SUBTREE)
            for context in contexts
        ]
        found: list[FoundObject] = []
        elsewhere: list[str] = []
        for request in requests:
            self.query.update(request.as_query())
            for page in self.reader.session.pages(request):
                self.read.pages += 1
                found.extend(page.objects)
                elsewhere.extend(self._other_domains(page.continuations))
        if len(contexts) > 1:
            self.query["base"] = list(contexts)
        if elsewhere and not found:
            self.read.leave_gap(Gap(
                kind=GapKind.INCOMPLETE,
                message=say(
                    "not found here, and these domains were not searched: {domains}", domains="; ".join(elsewhere)
                ),
                missing_permission=say("give the account's own domain a connection of its own"),
            ))
        return found

    def _contexts(self, base_dns: Sequence[str]) -> tuple[str, ...]:
        contexts: dict[str, None] = {}
        for base_dn in base_dns:
            context = self.reader.context_of(base_dn)
            if context is None:
                self.read.leave_gap(not_held_here(self.reader, base_dn))
            else:
                contexts[context] = None
        if not contexts:
            no_base = Gap(kind=GapKind.NOT_ATTEMPTED, message=say("no base DN is configured"))
            raise SourceError(self.read.gap or no_base)
        return tuple(contexts)

    def _contexts_of_domain(self, domain: str, contexts: tuple[str, ...]) -> tuple[str, ...]:
        """Return the partition of the domain with that NetBIOS or DNS name, if this host holds it."""
        partitions = self._partitions()
        if partitions is None:
            self.read.leave_gap(Gap(
                kind=GapKind.NOT_PERMITTED,
                message=say("searched by name only: which domain is called {name} could not be read", name=domain),
                missing_permission=say("Read on CN=Partitions of the configuration"),
            ))
            return contexts
        value = filter_value(domain)
        request = SearchRequest(
            base=partitions.dn,
            attributes=("nCName",),
            filter=f"(&(objectClass=crossRef)(|(nETBIOSName={value})(dnsRoot={value})))",
            scope=Scope.SUBTREE,
        )
        references = self.reader.objects_below(self.read, request)
        names = {parsed_dn(text) for reference in references for text in reference.texts("nCName")}
        here = tuple(text for name, text in self.reader.naming_contexts.items() if name in names)
        if not here:
            raise SourceError(Gap(
                kind=GapKind.INCOMPLETE,
                message=say(
                    "{host} holds no domain called {name}", host=self.reader.session.endpoint, name=domain
                ),
                missing_permission=say("audit {name} over a host of that domain", name=domain),
            ))
        return here

    def _contexts_of_suffix(self, suffix: str, contexts: tuple[str, ...]) -> tuple[str, ...]:
        own = tuple(
            text for name, text in self.reader.naming_contexts.items()
            if text in contexts and name.dns_domain == suffix
        )
        if own:
            return own
        partitions = self._partitions()
        suffixes = partitions.texts("uPNSuffixes") if partitions else ()
        return contexts if suffix in {known.lower() for known in suffixes} else ()

    def _partitions(self) -> FoundObject | None:
        configuration = self.reader.configuration_context
        if configuration is None:
            return None
        request = SearchRequest(base=f"CN=Partitions,{configuration}", attributes=("uPNSuffixes",))
        answer = self.reader.object_at(self.read, request)
        return None if isinstance(answer, Gap) else answer

    def _other_domains(self, continuations: Sequence[str]) -> list[str]:
        """Return the domains among the parts that other servers hold; the rest cannot hold accounts."""
        paths = [url.partition("://")[2].partition("/")[2].partition("?")[0] for url in continuations]
        names = [parsed_dn(unquote(path)) for path in paths]
        return [str(name) for name in names if name is not None and self._may_hold_accounts(name)]

    def _may_hold_accounts(self, context: DistinguishedName) -> bool:
        label = str(context.relative_names[0][0].value).lower()
        return context.is_dc_form and label not in _DNS_ZONES and context not in self.reader.naming_contexts


def _is_account_dn(username: str) -> bool:
    name = parsed_dn(username)
    return name is not None and name.parent is not None
