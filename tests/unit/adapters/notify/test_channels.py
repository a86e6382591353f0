"""Channels against a real SMTP server and a real HTTP receiver on this machine."""

from __future__ import annotations

import email
import email.utils
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from jsonschema import Draft7Validator

from holdfast.adapters.notify.cards import card, envelope
from holdfast.adapters.notify.opened import Way, opened
from holdfast.adapters.notify.webhook import is_genuine
from holdfast.core.alert import Audience, Event, Message, Topic
from holdfast.core.errors import SettingsError, UnreachableError
from holdfast.core.secret import Secret
from tests.builders import START
from tests.fakes.clock import StillClock
from tests.nasty import NASTY

EVENT = Event(
    "e2",
    "e1",
    Topic.BROKEN,
    "contoso",
    START,
    "Broken: Orders",
    "Sessions revoked.",
    "Sign in again.",
    Audience.ADMIN,
    "",
    ("c1",),
    3,
)
KEY = Secret("whsec-of-this-test")


class Receiver:
    """A program that takes webhooks."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/s3cr3t-path"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.server.shutdown()


class Letters:
    def __init__(self) -> None:
        self.got: list[Any] = []
        self.answer = "250 OK"

    async def handle_RCPT(  # noqa: N802 - likewise
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such box"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        if self.answer.startswith("250"):
            self.got.append(envelope)
        return self.answer


@pytest.fixture
def post_office() -> Iterator[tuple[Letters, str]]:
    letters = Letters()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(letters, hostname="127.0.0.1", port=port, ready_timeout=30)
    controller.start()
    yield letters, f"smtp://127.0.0.1:{port}"
    controller.stop()


async def send(way: Way, message: Message | None = None) -> None:
    async with opened([way], StillClock()) as ready:
        await ready[way.name].send(message or Message((EVENT,)))


# --- webhook ---------------------------------------------------------------------------------------------


async def test_a_webhook_is_signed_and_names_its_event(receiver: Receiver):
    await send(Way("ops", "webhook", Secret(receiver.url), KEY))

    [(headers, body)] = receiver.got
    assert headers["webhook-id"] == "e2"
    assert is_genuine(headers, body, KEY, StillClock().now())
    assert json.loads(body)["type"] == "connection.broken"
    assert json.loads(body)["data"]["thread"] == "e1"


async def test_what_was_changed_on_the_way_or_played_back_is_not_genuine(receiver: Receiver):
    await send(Way("ops", "webhook", Secret(receiver.url), KEY))
    [(headers, body)] = receiver.got
    now = StillClock().now()

    assert not is_genuine(headers, body + b" ", KEY, now)
    assert not is_genuine(headers | {"webhook-id": "e3"}, body, KEY, now)
    assert not is_genuine(headers, body, Secret("another"), now)
    assert not is_genuine(headers, body, KEY, now + timedelta(minutes=6))
    assert not is_genuine({}, body, KEY, now)


@pytest.mark.parametrize("status", [301, 400, 401, 500])
async def test_only_success_is_arrival_and_the_address_is_not_told(receiver: Receiver, status: int):
    receiver.status = status

    with pytest.raises(UnreachableError) as caught:
        await send(Way("ops", "webhook", Secret(receiver.url), KEY))

    assert str(status) in str(caught.value)
    assert "s3cr3t" not in str(caught.value) + repr(caught.value)


async def test_a_receiver_that_is_not_there_is_said(receiver: Receiver):
    receiver.server.shutdown()
    receiver.server.server_close()

    with pytest.raises(UnreachableError, match="gave no answer"):
        await send(Way("ops", "webhook", Secret(receiver.url)))


@pytest.mark.parametrize("url", ["", "ftp://x.example/", "no address", "file:///etc/passwd"])
async def test_what_is_no_address_is_a_matter_of_settings(url: str):
    with pytest.raises(SettingsError, match="'ops'"):
        await send(Way("ops", "webhook", Secret(url)))


# --- mail ------------------------------------------------------------------------------------------------


async def test_a_letter_carries_the_id_of_its_event_and_thread(post_office: tuple[Letters, str]):
    letters, url = post_office

    await send(Way("mail", "mail", Secret(url), None, "holdfast@contoso.example", ("ops@contoso.example",)))

    [envelope] = letters.got
    letter = email.message_from_bytes(envelope.content)
    assert envelope.rcpt_tos == ["ops@contoso.example"]
    assert letter["Message-ID"] == "<e2@contoso.example>"
    assert letter["In-Reply-To"] == "<e1@contoso.example>"
    assert email.utils.parsedate_to_datetime(letter["Date"]) == START
    assert "Sign in again." in letter.get_payload()


async def test_an_owner_gets_the_own_letter(post_office: tuple[Letters, str]):
    letters, url = post_office

    await send(
        Way("mail", "mail", Secret(url), None, "h@c.example", ("ops@c.example",)),
        Message((EVENT,), "ada@c.example"),
    )

    assert letters.got[0].rcpt_tos == ["ada@c.example"]


async def test_a_server_that_refuses_is_said(post_office: tuple[Letters, str]):
    letters, url = post_office
    letters.answer = "554 no"

    with pytest.raises(UnreachableError, match="554"):
        await send(Way("mail", "mail", Secret(url), None, "h@c.example", ("ops@c.example",)))


async def test_recipients_that_are_refused_are_named(post_office: tuple[Letters, str]):
    way = Way("mail", "mail", Secret(post_office[1]), None, "h@c.example", ("nobody@c.example",))

    with pytest.raises(UnreachableError, match=r"nobody@c.example \(550\)"):
        await send(way)


async def test_one_refused_recipient_keeps_it_from_no_other(post_office: tuple[Letters, str]):
    letters, url = post_office
    way = Way("mail", "mail", Secret(url), None, "h@c.example", ("nobody@c.example", "ops@c.example"))

    await send(way)
    with pytest.raises(UnreachableError, match=r"but not for nobody@c.example \(550\)"):
        await send(way, Message((replace(EVENT, topic=Topic.TEST),)))

    assert letters.got[0].rcpt_tos == ["ops@c.example"]


async def test_no_password_goes_out_in_the_open(post_office: tuple[Letters, str]):
    url = post_office[1].replace("smtp://", "smtp://ada:p4ssw0rd@")

    with pytest.raises(SettingsError, match="offers no TLS") as caught:
        await send(Way("mail", "mail", Secret(url), None, "h@c.example", ("ops@c.example",)))

    assert "p4ssw0rd" not in str(caught.value)


@pytest.mark.parametrize("name", list(NASTY.values()))
async def test_a_nasty_name_adds_no_header(post_office: tuple[Letters, str], name: str):
    letters, url = post_office
    event = Event("e1", "e1", Topic.BROKEN, "contoso", START, name, name, name, Audience.ADMIN)

    await send(Way("mail", "mail", Secret(url), None, "h@c.example", ("ops@c.example",)), Message((event,)))

    letter = email.message_from_bytes(letters.got[0].content)
    assert letters.got[0].rcpt_tos == ["ops@c.example"]
    assert set(letter.keys()) <= {
        "Subject", "From", "To", "Message-ID", "Date", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding", "MIME-Version", "X-Peer"
    }  # fmt: skip


# --- Teams -----------------------------------------------------------------------------------------------

# After the schema at adaptivecards.io (1.4): the elements that we use, with what each demands.
TEXT = {
    "type": "object",
    "required": ["type", "text"],
    "additionalProperties": False,
    "properties": {
        "type": {"const": "TextBlock"},
        "text": {"type": "string"},
        "wrap": {"type": "boolean"},
        "weight": {"enum": ["default", "lighter", "bolder"]},
        "size": {"enum": ["default", "small", "medium", "large", "extraLarge"]},
        "color": {"enum": ["default", "dark", "light", "accent", "good", "warning", "attention"]},
    },
}
FACT = {
    "type": "object",
    "required": ["title", "value"],
    "additionalProperties": False,
    "properties": {"title": {"type": "string"}, "value": {"type": "string"}},
}
FACTS = {
    "type": "object",
    "required": ["type", "facts"],
    "properties": {"type": {"const": "FactSet"}, "facts": {"type": "array", "items": FACT}},
}
CARD = {
    "type": "object",
    "required": ["type", "version", "body"],
    "properties": {
        "type": {"const": "AdaptiveCard"},
        "version": {"enum": ["1.0", "1.1", "1.2", "1.3", "1.4"]},
        "body": {"type": "array", "minItems": 1, "items": {"anyOf": [TEXT, FACTS]}},
    },
}


@pytest.mark.parametrize("topic", list(Topic))
def test_a_card_is_valid(topic: Topic):
    event = Event("e1", "e1", topic, "contoso", START, "Title", "Says", "Do", Audience.ADMIN, flows=3)

    Draft7Validator(CARD).validate(card(Message((event,) * 30)))


def test_the_schema_refuses_what_is_no_card():
    assert not Draft7Validator(CARD).is_valid(
        {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock"}]}
    )


@pytest.mark.parametrize("name", list(NASTY.values()))
def test_a_nasty_name_is_no_link_in_a_card(name: str):
    event = Event("e1", "e1", Topic.BROKEN, "contoso", START, name, name, name, Audience.ADMIN)

    told = card(Message((event,)))

    texts = [part["text"] for part in told["body"] if part["type"] == "TextBlock"]
    assert all("](" not in text.replace("\\]", "") for text in texts)


async def test_teams_gets_a_card_with_the_id_of_the_message(receiver: Receiver):
    receiver.status = 202

    await send(Way("teams", "teams", Secret(receiver.url)))

    [(_, body)] = receiver.got
    assert json.loads(body) == envelope(Message((EVENT,)))
    assert json.loads(body)["attachments"][0]["content"]["id"] == "e2"


# --- Apprise ---------------------------------------------------------------------------------------------


async def test_apprise_reaches_a_receiver(receiver: Receiver):
    receiver.status = 200
    url = receiver.url.replace("http://", "json://")

    await send(Way("pager", "apprise", Secret(url)))

    assert json.loads(receiver.got[0][1])["title"] == "Broken: Orders"


async def test_what_apprise_does_not_know_is_a_matter_of_settings():
    with pytest.raises(SettingsError, match="none that Apprise knows") as caught:
        await send(Way("pager", "apprise", Secret("nonsense://t0ken@x")))

    assert "t0ken" not in str(caught.value)


async def test_apprise_that_fails_is_said(receiver: Receiver):
    receiver.status = 500

    with pytest.raises(UnreachableError):
        await send(Way("pager", "apprise", Secret(receiver.url.replace("http://", "json://"))))
