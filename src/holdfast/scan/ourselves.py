"""holdfast's own identities, judged as connections are: their secrets, certificates and sign-ins end too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from holdfast.core.coverage import SERVICE_PRINCIPALS, Outcome
from holdfast.core.evidence import Evidence
from holdfast.core.horizon import Interval
from holdfast.core.identity import ClientSecret, ServicePrincipal
from holdfast.core.inventory import Connection, ConnectionId, ConnectorId, EnvironmentId, SignIn
from holdfast.core.judgement import Judgement
from holdfast.core.verdict import Verdict
from holdfast.core.witness import Source, Witness
from holdfast.diagnosis.forecast import Known, forecast
from holdfast.diagnosis.status import State, status
from holdfast.ports import History
from holdfast.reading.credentials import candidates, dead_credential_evidence
from holdfast.scan.standing import Picture, Standing

Diagnose = Callable[[Connection, Sequence[Evidence]], Verdict | None]

NO_ENVIRONMENT = EnvironmentId("")
CONNECTOR = ConnectorId("holdfast")


@dataclass(frozen=True, slots=True)
class OwnIdentity:
    """Who holdfast is for some roles of a tenant.

    Attributes:
        roles: as the settings name them.
        certificate: validity of the certificate in our file; None for other credentials.
        signed_in_at: when a person's tokens were last renewed; None where that is not known.
        trouble: what keeps us from knowing more, as one sentence; empty where nothing does.
    """

    roles: tuple[str, ...]
    sign_in: SignIn
    client_id: str
    certificate: ClientSecret | None = None
    signed_in_at: datetime | None = None
    trouble: str = ""

    def as_connection(self) -> Connection:
        """In the form in which everything that can break is judged."""
        return Connection(
            ConnectionId(f"holdfast/{'+'.join(self.roles)}"),
            NO_ENVIRONMENT,
            CONNECTOR,
            f"holdfast itself, as {', '.join(self.roles)}",
            self.sign_in,
            "Connected",
            client_id=self.client_id,
        )


async def own_standings(
    history: History, seen: Picture, identities: Sequence[OwnIdentity], diagnose: Diagnose
) -> list[Standing]:
    """How each of holdfast's own identities stands, in the order given."""
    read = seen.record.sweep_of("", SERVICE_PRINCIPALS)
    apps: dict[str, ServicePrincipal] | None = None
    if identities and read is not None and read.outcome is Outcome.SCANNED:
        wanted = {identity.client_id for identity in identities}
        listed = history.current(seen.tenant, ServicePrincipal)
        apps = {app.client_id: app async for app in listed if app.client_id in wanted}
    return [_standing(identity, apps, seen.now, diagnose) for identity in identities]


def _standing(
    identity: OwnIdentity, apps: dict[str, ServicePrincipal] | None, now: datetime, diagnose: Diagnose
) -> Standing:
    connection = identity.as_connection()
    if identity.certificate is not None:
        # Our own file tells exactly which certificate it is, whatever else the application has.
        own = ServicePrincipal(identity.client_id, "", "our certificate file", (identity.certificate,))
        apps = {identity.client_id: own}
    found = _witnesses(identity)
    verdict = _verdict(connection, apps, now, diagnose)
    horizons = forecast(Known(connection, found, apps, verdict, now))
    judged = Judgement(connection.environment, connection.connector, connection.id, verdict, horizons, found)
    found_status = status(connection, judged, Outcome.SCANNED, now, flows_complete=True)
    if identity.trouble:
        found_status = replace(found_status, state=State.UNKNOWN, next_action=identity.trouble)
    return Standing(found_status, judged)


def _witnesses(identity: OwnIdentity) -> tuple[Witness, ...]:
    if identity.signed_in_at is None:
        return ()
    at = Interval(identity.signed_in_at, identity.signed_in_at)
    return (Witness(Source.OWN_DEED, at, "We redeemed the token ourselves and kept its successor."),)


def _verdict(
    connection: Connection, apps: dict[str, ServicePrincipal] | None, now: datetime, diagnose: Diagnose
) -> Verdict | None:
    app = (apps or {}).get(connection.client_id or "")
    evidence = dead_credential_evidence(app, candidates(connection, app), now) if app else None
    return diagnose(connection, (evidence,)) if evidence else None
