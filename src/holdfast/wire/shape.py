"""What all shapes have in common: how names, unknown fields, secrets and instants cross the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SecretStr
from pydantic.alias_generators import to_camel

Item = TypeVar("Item")

Hidden = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value, return_type=str, when_used="json")]
"""A secret on the wire: masked in repr and in Python dumps, told only where JSON is written."""


class Shape(BaseModel):
    """A JSON object of the cloud with camelCase names.

    Enumerations stay plain strings and instants stay text, so that what came in can be written out again
    unchanged. A field that is not named here is kept in `model_extra`: it is counted, never fatal.
    """

    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="allow", alias_generator=to_camel, populate_by_name=True
    )


class PlainShape(BaseModel):
    """A JSON object whose names are taken as they are: OAuth (with underscores), Dataverse (lower case)."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="allow", populate_by_name=True)


class Page(Shape, Generic[Item]):
    """One page of a list; `nextLink` is absent on the last one."""

    value: tuple[Item, ...]
    next_link: str | None = None


class GraphPage(Shape, Generic[Item]):
    """One page of an OData list (Graph, Dataverse); `@odata.nextLink` is absent on the last one."""

    context: str | None = Field(default=None, alias="@odata.context")
    next_link: str | None = Field(default=None, alias="@odata.nextLink")
    count: int | None = Field(default=None, alias="@odata.count")
    total: int | None = Field(default=None, alias="@Microsoft.Dynamics.CRM.totalrecordcount")
    total_is_cut: bool | None = Field(
        default=None, alias="@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded"
    )
    metadata_version: str | None = Field(default=None, alias="@Microsoft.Dynamics.CRM.globalmetadataversion")
    value: tuple[Item, ...]


def instant(text: str | None) -> datetime | None:
    """Aware UTC, cut to microseconds; None for no text or one that is no instant.

    The platform writes up to seven fractional digits; Entra writes a blank where ISO has a T.
    """
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    if read.tzinfo is UTC:
        return read
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def zulu(at: datetime) -> str:
    """An instant as filters take it: UTC, whole seconds, Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
