"""Whose a connection's flows, references, application and secrets are, for `show`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from holdfast.cli.times import iso

if TYPE_CHECKING:
    from holdfast.compose import Holdfast
    from holdfast.core.identity import ClientSecret, Owner, ServicePrincipal
    from holdfast.core.inventory import ConnectionReference
    from holdfast.scan.standing import Picture, Standing

NOBODY = "nobody owns it"


@dataclass(frozen=True, slots=True)
class Owned:
    """What belongs to a connection, with its owners.

    Attributes:
        application: behind a service principal connection; None where there is none, or it was not seen.
    """

    references: tuple[ConnectionReference, ...] = ()
    application: ServicePrincipal | None = None

    @classmethod
    async def of(cls, holdfast: Holdfast, standing: Standing, seen: Picture) -> Owned:
        """As last scanned."""
        from holdfast.core.identity import ServicePrincipal
        from holdfast.core.inventory import ConnectionReference

        connection = standing.status.connection
        there = holdfast.history.current(seen.tenant, ConnectionReference, connection.environment)
        references = tuple([each async for each in there if each.connection == connection.id])
        application = None
        if connection.client_id:
            async for app in holdfast.history.current(seen.tenant, ServicePrincipal):
                if app.client_id.casefold() == connection.client_id.casefold():
                    application = app
        return cls(references, application)

    def rows(self) -> dict[str, Any]:
        """For programs."""
        app = self.application
        return {
            "references": [
                {
                    "id": each.id,
                    "logical_name": each.logical_name,
                    "owner": owner_row(each.owned_by),
                }
                for each in self.references
            ],
            "application": None
            if app is None
            else {
                "client_id": app.client_id,
                "name": app.display_name,
                "owners": None if app.owners is None else [owner_row(each) for each in app.owners],
                "credentials": [
                    {
                        "key_id": s.key_id,
                        "name": s.display_name,
                        "kind": s.kind,
                        "expires_at": iso(s.expires_at),
                    }
                    for s in app.secrets
                ],
            },
        }

    def told(self) -> Iterator[tuple[str, str]]:
        """For people: a heading and what is said under it."""
        for each in self.references:
            yield "References", f"{each.logical_name}: {owner_said(each.owned_by)}"
        if self.application is not None:
            yield "Application", f"{self.application.display_name}: {_owners_said(self.application)}"
            for secret in self.application.secrets:
                yield "Secrets", _secret_said(secret)


def owner_row(owner: Owner | None) -> dict[str, Any] | None:
    """An owner for programs."""
    if owner is None:
        return None
    return {
        "id": owner.id,
        "name": owner.display_name,
        "upn": owner.user_principal_name,
        "kind": owner.kind,
        "has_left": owner.has_left,
    }


def owner_name(owner: Owner) -> str:
    """What people call somebody, with a mark on leavers."""
    name = owner.display_name or owner.user_principal_name or owner.id
    if owner.user_principal_name and owner.user_principal_name != name:
        name += f" ({owner.user_principal_name})"
    return f"{name}, who has left" if owner.has_left else name


def owner_said(owner: Owner | None) -> str:
    """Whose it is, in words."""
    return f"owned by {owner_name(owner)}" if owner else "its owner is a team, or is not told"


def _owners_said(app: ServicePrincipal) -> str:
    if app.owners is None:
        return "its owners were not asked for yet: `holdfast scan`"
    if not app.owners:
        return f"{NOBODY}: give it an owner, who alone can renew its secrets beside the administrators"
    if all(owner.has_left for owner in app.owners):
        return f"owned by {_joined(app)}: give it another owner"
    return f"owned by {_joined(app)}"


def _joined(app: ServicePrincipal) -> str:
    return "; ".join(owner_name(owner) for owner in app.owners or ())


def _secret_said(secret: ClientSecret) -> str:
    name = f"{secret.kind} {secret.display_name or secret.key_id}"
    ends = f" ends {secret.expires_at:%Y-%m-%d}" if secret.expires_at else ""
    made = ", made by holdfast" if secret.display_name.startswith("holdfast/") else ""
    return f"{name}{ends}{made}"
