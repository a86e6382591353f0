"""A tenant without sockets: ask its rooms directly, as any identity of the world."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from holdfast.sandbox.certificates import Keys, make_keys
from holdfast.sandbox.clock import Clock
from holdfast.sandbox.entra.first_party import APIHUB, DATAVERSE, FLOW, POWERAPPS, POWERPLATFORM
from holdfast.sandbox.frame import Call, CallRefusedError, Deed, Door
from holdfast.sandbox.parts import PARTS
from holdfast.sandbox.records.directory import Account, Application
from holdfast.sandbox.records.platform import Connection, Flow
from holdfast.sandbox.scenarios.named import build
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
AUDIENCES = {
    Host.POWERAPPS: POWERAPPS.uris[0],
    Host.BAP: POWERAPPS.uris[0],
    Host.POWERPLATFORM: POWERPLATFORM.uris[0],
    Host.FLOW: FLOW.uris[0],
    Host.APIHUB: APIHUB.uris[0],
    Host.DATAVERSE: DATAVERSE.client_id,
}


@lru_cache(maxsize=1)
def keys() -> Keys:
    """One set of keys for all tests: making RSA keys is slow."""
    return make_keys(datetime.now(UTC))


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class Rooms:
    """A tenant on a frozen clock."""

    def __init__(self, scenario: str = "story", world: World | None = None, now: datetime = NOW) -> None:
        self.world = world or build(scenario, 1, now)
        urls = {host: f"https://localhost:{4400 + n}" for n, host in enumerate(Host)}
        agenda = tuple(source for part in PARTS for source in part.agenda)
        self.tenant = Tenant(self.world, Clock(self.world.settled_at, frozen=True), keys(), urls, agenda)
        self.tenant.now()

    @property
    def now(self) -> datetime:
        return self.tenant.clock.now()

    def advance(self, **length: float) -> None:
        self.tenant.clock.advance(timedelta(**length))
        self.tenant.now()

    def event(self, event: str, target: str = "", **details: Any) -> Mapping[str, Any] | None:
        known = {name: deed for part in PARTS for name, deed in part.events.items()}
        said = known[event](Deed(self.world, self.tenant.now(), target, details))
        self.world.changed()
        return said

    def token(self, who: Account | Application, audience: str, **claims: Any) -> str:
        """An access token as Entra would issue it."""
        seconds = int(self.now.timestamp())
        payload: dict[str, Any] = {
            "tid": self.world.tenant_id,
            "aud": audience,
            "nbf": seconds,
            "exp": seconds + 3600,
        }
        if isinstance(who, Account):
            payload |= {"oid": who.object_id, "scp": "user_impersonation", "appid": "anything"}
        else:
            payload |= {"oid": who.principal_id, "appid": who.client_id, "roles": []}
        return signed(payload | claims)

    def ask(
        self,
        host: Host,
        path: str,
        *,
        who: Account | Application | None = None,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        written_query: str = "",
        **query: str,
    ) -> Answer:
        """Ask; in names of the query ``__`` stands for ``$`` and ``_`` for ``-``, unless it is given as written."""
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        if who is not None:
            sent.setdefault("authorization", f"Bearer {self.token(who, AUDIENCES[host])}")
        call = Call(
            tenant=self.tenant,
            host=host,
            method=method,
            path=path,
            query_string=written_query
            or urlencode({name.replace("__", "$").replace("_", "-"): value for name, value in query.items()}),
            headers=sent,
            body=body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
            now=self.tenant.now(),
        )
        door = Door(room for part in PARTS for room in part.rooms if room.host is host)
        try:
            response = door.find(call).endpoint(call)
        except CallRefusedError as refusal:
            response = refusal.response
        if method != "GET":
            self.world.changed()
        return Answer(response.status_code, dict(response.headers), bytes(response.body))

    def account(self, name: str) -> Account:
        return next(one for one in self.world.accounts.values() if one.display_name == name)

    def app(self, name: str) -> Application:
        return next(one for one in self.world.applications.values() if one.display_name == name)

    def connection(self, start: str) -> Connection:
        return next(one for one in self.world.connections.values() if one.display_name.startswith(start))

    def flow(self, name: str) -> Flow:
        return next(one for one in self.world.flows.values() if one.display_name == name)


def signed(payload: Mapping[str, Any]) -> str:
    """A JWT signed with the tenant's key."""

    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    text = ".".join(part(json.dumps(one).encode()) for one in ({"alg": "RS256", "typ": "JWT"}, payload))
    key = load_pem_private_key(keys().signing_key.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return f"{text}.{part(key.sign(text.encode(), PKCS1v15(), SHA256()))}"


def paths(value: Any, opaque: Iterable[str] = (), at: str = "") -> Counter[str]:
    """Every path to a value in JSON with the kind of what lies there; nothing below `opaque` names."""
    found: Counter[str] = Counter()
    kind = (
        "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    )
    found[f"{at}:{kind}"] += 1
    if at.rpartition(".")[2] in opaque:
        return found
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths(inner, opaque, f"{at}.{key}")
    elif isinstance(value, list):
        for inner in value:
            found += paths(inner, opaque, f"{at}[]")
    return found
