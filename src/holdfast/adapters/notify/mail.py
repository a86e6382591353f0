"""Mail by SMTP. The message's own id is its Message-ID, so that a second copy is known as one."""

from __future__ import annotations

import asyncio
import logging
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from holdfast.adapters.notify.words import line, plain
from holdfast.core.alert import Message, Topic
from holdfast.core.errors import SettingsError, UnreachableError
from holdfast.core.secret import Secret

SECONDS: Final = 20

_log = logging.getLogger("holdfast.alerts")


class Mail:
    """Sends through one server.

    Args:
        url: smtp://HOST:PORT, smtps://…, with USER:PASSWORD@ where the server wants it. smtp: turns to TLS where the server
            offers it, and always before a password is sent.
        sender: the address that it comes from; `to` the recipients of what is for nobody in particular.
        ca_file: certificates to believe instead of the operating system's.
    """

    def __init__(
        self, name: str, url: Secret, sender: str, to: tuple[str, ...], ca_file: Path | None = None
    ) -> None:
        self._name, self._url, self._sender, self._to, self._ca_file = name, url, sender, to, ca_file

    async def send(self, message: Message) -> None:
        """See `ports.Notifier`."""
        recipients = (message.to,) if message.to else self._to
        if not recipients:
            raise SettingsError(f"The mail channel {self._name!r} has no recipients: give it `to`.")
        refused = await asyncio.to_thread(self._send, self._letter(message, recipients), recipients)
        if not refused:
            return
        told = ", ".join(f"{line(each)} ({code})" for each, code in refused.items())
        if message.events[0].topic is Topic.TEST:
            raise UnreachableError(
                f"The server of the mail channel {self._name!r} took the message, but not for {told}.",
                "alerts",
                "alerts.send",
            )
        # To try it again would repeat it to those who have it; `alerts test` names who gets nothing.
        _log.warning("mail channel %r: %d recipients were refused", self._name, len(refused))

    def _letter(self, message: Message, recipients: tuple[str, ...]) -> EmailMessage:
        letter = EmailMessage()
        letter["Subject"] = line(message.title)[:200]
        letter["From"] = self._sender
        letter["To"] = ", ".join(line(each) for each in recipients)
        domain = self._sender.rpartition("@")[2] or "holdfast"
        letter["Message-ID"] = f"<{message.id}@{domain}>"
        first = message.events[0]
        if len(message.events) == 1 and first.thread != first.id:
            letter["In-Reply-To"] = letter["References"] = f"<{first.thread}@{domain}>"
        letter["Date"] = format_datetime(message.events[-1].at)
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(plain(message))
        return letter

    def _send(self, letter: EmailMessage, recipients: tuple[str, ...]) -> dict[str, int]:
        """Send it; the recipients that the server refused though it took others, with its codes."""
        try:
            parts = urlsplit(self._url.reveal())
            host, port = parts.hostname or "", parts.port
        except ValueError:
            host, port, parts = "", None, urlsplit("")
        if parts.scheme not in ("smtp", "smtps") or not host:
            raise SettingsError(
                f"The url of the mail channel {self._name!r} must be smtp://HOST:PORT or smtps://HOST:PORT."
            )
        context = ssl.create_default_context(cafile=self._ca_file)
        try:
            with self._connected(parts.scheme, host, port, context) as server:
                if parts.scheme == "smtp" and server.has_extn("starttls"):
                    server.starttls(context=context)
                    server.ehlo()
                    is_safe = True
                else:
                    is_safe = parts.scheme == "smtps"
                if parts.username:
                    if not is_safe:
                        raise SettingsError(
                            f"The server of the mail channel {self._name!r} offers no TLS, so no password is sent to it."
                        )
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                return _codes(server.send_message(letter, self._sender, list(recipients)))
        except smtplib.SMTPRecipientsRefused as error:
            told = ", ".join(f"{line(each)} ({code})" for each, code in _codes(error.recipients).items())
            raise UnreachableError(
                f"The server of the mail channel {self._name!r} refused every recipient: {told}.",
                "alerts",
                "alerts.send",
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            # The words of a server may quote what it was sent: only the kind and the code are told.
            code = getattr(error, "smtp_code", None)
            what = f"{type(error).__name__}{f' {code}' if code else ''}"
            raise UnreachableError(
                f"The mail channel {self._name!r} did not take the message ({what}).", "alerts", "alerts.send"
            ) from None

    def _connected(self, scheme: str, host: str, port: int | None, context: ssl.SSLContext) -> smtplib.SMTP:
        if scheme == "smtps":
            return smtplib.SMTP_SSL(host, port or 465, timeout=SECONDS, context=context)
        server = smtplib.SMTP(host, port or 587, timeout=SECONDS)
        server.ehlo()
        return server


def _codes(refused: Mapping[str, tuple[int, bytes]]) -> dict[str, int]:
    # Only the codes: a server's words may quote what it was sent.
    return {recipient: code for recipient, (code, _) in refused.items()}
