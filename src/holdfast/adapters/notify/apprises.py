"""Everything that Apprise speaks: chat, pagers, push. Its library blocks, so it runs in a thread."""

from __future__ import annotations

import asyncio

from holdfast.adapters.notify.words import line, plain
from holdfast.core.alert import Message
from holdfast.core.errors import SettingsError, UnreachableError
from holdfast.core.secret import Secret


class Apprised:
    """One Apprise address. It carries secrets: only its scheme is ever told."""

    def __init__(self, name: str, url: Secret) -> None:
        """Sends nothing yet."""
        self._name, self._url = name, url

    async def send(self, message: Message) -> None:
        """See `ports.Notifier`."""
        await asyncio.to_thread(self._send, message)

    def _send(self, message: Message) -> None:
        import logging

        from apprise import Apprise, NotifyFormat

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would log the address
        address = self._url.reveal()
        sender = Apprise()
        scheme = address.partition(":")[0]
        if not sender.add(address):
            raise SettingsError(
                f"The url of the alert channel {self._name!r} is none that Apprise knows ({scheme})."
            )
        if not sender.notify(title=line(message.title), body=plain(message), body_format=NotifyFormat.TEXT):
            raise UnreachableError(
                f"The alert channel {self._name!r} ({scheme}) did not take the message.",
                "alerts",
                "alerts.send",
            )
