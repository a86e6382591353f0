"""The gesture that heals: a person signs in again for a connection (the control port's event)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from holdfast.sandbox.entra.audits import note_consent
from holdfast.sandbox.entra.conditional_access import Person, policy_results, unmet_demands
from holdfast.sandbox.entra.first_party import SQL, SQL_CONNECTOR_CLIENT
from holdfast.sandbox.entra.interactive import Proven, accept_terms, signed_in
from holdfast.sandbox.entra.judgement import refusals_of_assignment
from holdfast.sandbox.entra.policy_conditions import Circumstances
from holdfast.sandbox.entra.sign_ins import Attempt, note_user
from holdfast.sandbox.entra.tokens import life_of
from holdfast.sandbox.frame import Deed, Event
from holdfast.sandbox.records.directory import Account
from holdfast.sandbox.records.platform import Connection
from holdfast.sandbox.world import World


def reconsent(deed: Deed) -> dict[str, Any]:
    """The owner of a connection, or the account named by ``as``, signs in for it and gives whatever is asked.

    A second factor is given or registered, terms are accepted, an expired password is changed. What no person can
    give (a block, a device) is refused and said.
    """
    connection = deed.world.connections.get(deed.target)
    if connection is None or connection.deleted_at is not None:
        raise LookupError(f"connection {deed.target!r}")
    if connection.parameter_set not in ("oauth", "oauthCom"):
        raise ValueError("this connection holds no sign-in of a person")
    account = deed.world.find_account(str(deed.details.get("as") or connection.owner_id))
    proven = _proven(deed, account)
    sign_in_for(deed.world, deed.now, connection, proven)
    return {"account": account.user_principal_name, "methods": proven.methods}


def _proven(deed: Deed, account: Account) -> Proven:
    if not account.enabled or account.deleted_at is not None:
        raise ValueError(f"{account.user_principal_name} cannot sign in: the account is disabled or deleted")
    for refused in refusals_of_assignment(deed.world.applications.get(SQL.client_id), account):
        raise ValueError(
            f"{account.user_principal_name} is refused: AADSTS{refused.error.code}: {refused.error.text}"
        )
    how = Circumstances(
        SQL_CONNECTOR_CLIENT, SQL.client_id, account.ip_address, "browser", is_interactive=True
    )
    methods = ["pwd"]
    for unmet in unmet_demands(deed.world, Person(account, methods, deed.now, True), how, deed.now):
        if unmet.demand == "mfa":
            account.mfa_methods = account.mfa_methods or ["authenticator"]
            methods = ["pwd", "mfa"]
        elif unmet.demand == "termsOfUse":
            accept_terms(deed.world, deed.now, account, unmet)
        else:
            raise ValueError(
                f"{account.user_principal_name} is refused: AADSTS{unmet.error.code}: {unmet.error.text}"
            )
    _log(deed, Person(account, methods, deed.now, True), how)
    return Proven(account, methods)


def _log(deed: Deed, person: Person, how: Circumstances) -> None:
    attempt = Attempt(
        how.client_id,
        how.resource_id,
        deed.world.fresh("correlation"),
        how.ip_address,
        policies=policy_results(deed.world, person, how, deed.now),
    )
    note_user(deed.world, deed.now, attempt, person.account, None, interactive=True)


def sign_in_for(world: World, now: datetime, connection: Connection, proven: Proven) -> None:
    """The connection holds this new sign-in from now on, and its owner is who signed in."""
    if connection.refresh_token_id is not None:
        world.refresh_tokens.pop(connection.refresh_token_id, None)
    client = world.applications[SQL_CONNECTOR_CLIENT]
    if client.consent_withdrawn.pop(proven.account.object_id, None) is not None:
        note_consent(world, now, client, proven.account)
    scopes = [f"{SQL.uris[0]}//.default", "offline_access"]
    token = signed_in(world, now, proven, client, scopes, held_by=connection.id)
    token.used_at = now
    connection.refresh_token_id = token.id
    connection.owner_id = proven.account.object_id
    connection.account_name = proven.account.user_principal_name
    connection.status, connection.fault = "Connected", None
    connection.last_token_at = connection.modified_at = now
    connection.token_expires_at = now + life_of(world, token.id, now.isoformat())


EVENTS: Mapping[str, Event] = {"reconsent": reconsent}
