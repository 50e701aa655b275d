"""Sends a message through every channel side by side, and waits for none of them for long."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.model.notification import MailChannel
from auditor.notify.failure import NotTold
from auditor.notify.mail import send_mail
from auditor.notify.webhook import post

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.model.notification import Channel
    from auditor.model.sign_in import Secret, SecretReference
    from auditor.notify.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds to wait for one answer of a server, and for a channel in all, however slowly it drips."""

    answer_s: float = 15
    overall_s: float = 45


class _Sending(threading.Thread):
    """One channel's turn; a daemon, so that a stuck one ends with the program."""

    def __init__(
        self, channel: Channel, secrets: Mapping[SecretReference, Secret], message: Message, answer_s: float
    ) -> None:
        super().__init__(name=f"notify {channel.place}", daemon=True)
        self.channel = channel
        self.trouble: str | None = "no end in sight"
        self._work = (channel, secrets, message, answer_s)

    def run(self) -> None:
        channel, secrets, message, answer_s = self._work
        try:
            if isinstance(channel, MailChannel):
                password = secrets[channel.password] if channel.password is not None else None
                send_mail(channel, password, message, answer_s)
            else:
                post(channel, secrets[channel.url], message, answer_s)
        except NotTold as reason:
            self.trouble = str(reason)
        except Exception as bug:  # noqa: BLE001 - of ours or a library's: told like any failure, and the run stands
            self.trouble = f"a bug of the tool ({type(bug).__name__})"
        else:
            self.trouble = None


def send(
    channels: Iterable[Channel],
    secrets: Mapping[SecretReference, Secret],
    message: Message,
    patience: Patience = Patience(),
) -> tuple[str, ...]:
    """Send a message through all channels; return a sentence for each that did not take it."""
    sendings = [_Sending(channel, secrets, message, patience.answer_s) for channel in channels]
    for sending in sendings:
        sending.start()
    until = time.monotonic() + patience.overall_s
    for sending in sendings:
        sending.join(max(0, until - time.monotonic()))
    return tuple(f"{each.channel.place}: not told: {each.trouble}" for each in sendings if each.trouble is not None)
