"""Mail over SMTP (RFC 5321), with TLS unless the operator gave it up."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import localtime, make_msgid
from smtplib import SMTP, SMTP_SSL, SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPServerDisconnected
from typing import TYPE_CHECKING

from auditor.model.notification import MailChannel, MailSecurity
from auditor.notify.failure import NotTold, network_trouble

if TYPE_CHECKING:
    from auditor.model.sign_in import Secret
    from auditor.notify.message import Message


def send_mail(channel: MailChannel, password: Secret | None, message: Message, timeout_s: float) -> None:
    """Send a message to all recipients. Raises NotTold, which holds no text of the server."""
    try:
        with _connected(channel, timeout_s) as client:
            if channel.username is not None and password is not None:
                client.login(channel.username, password.reveal_text())
            refused = client.send_message(_mail(channel, message), channel.sender, channel.recipients)
    except SMTPRecipientsRefused as error:
        raise NotTold("the server refused every recipient") from error
    except SMTPResponseException as error:
        raise NotTold(f"the server answered {error.smtp_code}") from error
    except SMTPServerDisconnected as error:
        raise NotTold(network_trouble(error.__context__ or error)) from error
    except SMTPException as error:
        raise NotTold(f"the server does not do what is needed ({type(error).__name__})") from error
    except OSError as error:
        raise NotTold(network_trouble(error)) from error
    if refused:
        raise NotTold(f"the server refused {len(refused)} of {len(channel.recipients)} recipients")


def _connected(channel: MailChannel, timeout_s: float) -> SMTP:
    if channel.security is MailSecurity.NONE:
        return SMTP(channel.server, channel.port, timeout=timeout_s)
    context = ssl.create_default_context(cafile=channel.ca_file)
    if channel.security is MailSecurity.TLS:
        return SMTP_SSL(channel.server, channel.port, timeout=timeout_s, context=context)
    client = SMTP(channel.server, channel.port, timeout=timeout_s)
    try:
        client.starttls(context=context)
    except BaseException:
        client.close()
        raise
    return client


def _mail(channel: MailChannel, message: Message) -> EmailMessage:
    mail = EmailMessage(policy=SMTP_POLICY)
    mail["Subject"] = "".join(char if char.isprintable() else " " for char in message.subject)
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Date"] = localtime()
    mail["Message-ID"] = make_msgid(domain=channel.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(message.summary)
    return mail
