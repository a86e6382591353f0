"""How each kind of thing lies in the store: its name there, its key, and its named fields as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

from pydantic import TypeAdapter

from holdfast.core.beliefs import NUMBERED
from holdfast.core.identity import ServicePrincipal
from holdfast.core.imported import KitFlow, PasswordTerm
from holdfast.core.inventory import (
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    ListedFlow,
)
from holdfast.core.judgement import Judgement
from holdfast.core.policies import AccessPolicy
from holdfast.core.proof import Proof
from holdfast.ports import Thing

T = TypeVar("T")


# A sentence that is said of thousands of connections is kept as its number behind this private-use character.
_MARK: Final = "\ue100"
_SENTENCES: Final = [json.dumps(sentence)[1:-1] for sentence in NUMBERED]
_NUMBERS: Final = {sentence: f"{_MARK}{n}" for n, sentence in enumerate(_SENTENCES)}
_NUMBER: Final = re.compile(f"{_MARK}([0-9]+)")


def in_order(told: Any) -> Any:
    """The same with every list sorted: a set comes out in another order in each process."""
    if isinstance(told, list):
        return sorted(map(in_order, told), key=json.dumps)
    return {name: in_order(each) for name, each in told.items()} if isinstance(told, dict) else told


def numbered(facts: str) -> str:
    """The fields with every sentence of `core.beliefs` as its number."""
    if "assumptions" not in facts:
        return facts
    # What stands between two quotes; no sentence has one in it, so that a part of a longer text is never one.
    parts = facts.split('"')
    return '"'.join(map(_NUMBERS.get, parts, parts))


def spelled_out(facts: str) -> str:
    """The fields with every number as its sentence."""
    return _NUMBER.sub(lambda found: _SENTENCES[int(found[1])], facts)


class Shape(NamedTuple, Generic[T]):
    """One kind: where a thing of it belongs, and how its fields are written and read.

    Attributes:
        has_sets: it has fields without an order, which must be given one.

    Fields that have their default are left out, so that a field that a later version adds does not make
    everything look changed.
    """

    kind: str
    adapter: TypeAdapter[T]
    environment_of: Callable[[T], str]
    key_of: Callable[[T], str]
    has_sets: bool = False

    def write(self, thing: T) -> str:
        """Its fields."""
        if self.has_sets:
            told = self.adapter.dump_python(thing, mode="json", exclude_defaults=True)
            return json.dumps(in_order(told), separators=(",", ":"), ensure_ascii=False)
        return numbered(self.adapter.serializer.to_json(thing, exclude_defaults=True).decode())

    def read(self, facts: str) -> T:
        """The thing with these fields."""
        return self.adapter.validate_json(spelled_out(facts))


@cache
def _shapes() -> dict[type, Shape[Any]]:
    return {
        Environment: Shape("environment", TypeAdapter(Environment), lambda _: "", lambda e: e.id),
        Connection: Shape(
            "connection",
            TypeAdapter(Connection),
            lambda c: c.environment,
            lambda c: f"{c.connector}/{c.id}",
        ),
        ConnectionReference: Shape(
            "connection_reference", TypeAdapter(ConnectionReference), lambda r: r.environment, lambda r: r.id
        ),
        CanvasApp: Shape(
            "canvas_app", TypeAdapter(CanvasApp), lambda a: a.environment, lambda a: a.id, has_sets=True
        ),
        Flow: Shape("flow", TypeAdapter(Flow), lambda f: f.environment, lambda f: f.id),
        ListedFlow: Shape("listed_flow", TypeAdapter(ListedFlow), lambda f: f.environment, lambda f: f.id),
        ServicePrincipal: Shape(
            "service_principal", TypeAdapter(ServicePrincipal), lambda _: "", lambda s: s.object_id
        ),
        AccessPolicy: Shape(
            "access_policy", TypeAdapter(AccessPolicy), lambda _: "", lambda p: p.id, has_sets=True
        ),
        PasswordTerm: Shape("password", TypeAdapter(PasswordTerm), lambda _: "", lambda p: p.connection),
        KitFlow: Shape("kit_flow", TypeAdapter(KitFlow), lambda _: "", lambda f: f.id),
        Judgement: Shape(
            "judgement",
            TypeAdapter(Judgement),
            lambda j: j.environment,
            lambda j: f"{j.connector}/{j.connection}",
        ),
        Proof: Shape(
            "proof", TypeAdapter(Proof), lambda p: p.environment, lambda p: f"{p.connector}/{p.connection}"
        ),
    }


def shape_of(kind: type[T]) -> Shape[T]:
    """How this kind of thing is kept."""
    return cast("Shape[T]", _shapes()[kind])


def placed(thing: Thing) -> tuple[str, str, str, str]:
    """Its kind, environment, key and fields."""
    shape: Shape[Any] = shape_of(type(thing))
    return shape.kind, shape.environment_of(thing), shape.key_of(thing), shape.write(thing)
