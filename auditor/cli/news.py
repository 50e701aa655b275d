"""Telling people about a run, and saying who could not be told. Neither changes how the run ends."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from auditor.cli.console import say
from auditor.errors import InvalidInput, RunFailed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from auditor.assignment import Finished
    from auditor.model.notification import Channel
    from auditor.notify.message import Message
    from auditor.preparation import Prepared

INVALID_INPUT = 2
RUN_FAILED = 4


def tell_news(prepared: Prepared, finished: Finished, language: str) -> None:
    """Tell a finished run, in the language of its report, through the channels that want to know of it."""
    if finished.results is None or not prepared.inventory.channels:
        return
    from auditor.model.notification import When  # noqa: PLC0415 - only those who are told pay for it
    from auditor.notify.message import is_news, message_of  # noqa: PLC0415
    from auditor.report.languages import plain_texts  # noqa: PLC0415
    from auditor.report.summary_md import summary_bytes  # noqa: PLC0415

    news = is_news(finished.results, finished.earlier)
    summary = summary_bytes(finished.results, language=language).decode("utf-8")
    message = message_of(finished.results, summary, plain_texts(language))
    _send(prepared, message, [each for each in prepared.inventory.channels if news or each.when is When.ALWAYS])


@contextmanager
def failure_is_told(prepared: Prepared, language: str, *, redact: bool) -> Iterator[None]:
    """Tell every channel when the run fails: nobody was reviewed, and a schedule alone may hide that.

    To `redact` is to name neither the organisation nor what an error may name.
    """
    try:
        yield
    except Exception as error:
        if prepared.inventory.channels:
            from auditor.notify.message import message_of_failure  # noqa: PLC0415
            from auditor.redaction.evidence import REDACTED  # noqa: PLC0415
            from auditor.report.languages import plain_texts  # noqa: PLC0415

            is_told = isinstance(error, RunFailed) and not redact
            reason = str(error).split("\n", 1)[0] if is_told else type(error).__name__
            code = INVALID_INPUT if isinstance(error, InvalidInput) else RUN_FAILED
            organisation = REDACTED if redact else prepared.inventory.organisation
            message = message_of_failure(organisation, reason, code, plain_texts(language))
            _send(prepared, message, prepared.inventory.channels)
        raise


def _send(prepared: Prepared, message: Message, channels: Collection[Channel]) -> None:
    from auditor.notify.send import send  # noqa: PLC0415

    for failure in send(channels, prepared.secrets, message):
        say(failure, level="error")
