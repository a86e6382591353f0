"""From LOGIN7 to a SQL session: which server is meant, whose token or password it is, and a note of it."""

from __future__ import annotations

from holdfast.sandbox.databases import log_in, reachable
from holdfast.sandbox.entra.bearer import TokenRefusedError, caller_by
from holdfast.sandbox.entra.first_party import SQL
from holdfast.sandbox.rules import Mark, Rule
from holdfast.sandbox.sql import errors
from holdfast.sandbox.sql.errors import SqlError
from holdfast.sandbox.sql.login import Identity
from holdfast.sandbox.sql.sessions import SqlSession
from holdfast.sandbox.tds.login import LoginRequest
from holdfast.sandbox.tenant import Tenant
from holdfast.sandbox.world import World

TOKEN_USER = "<token-identified principal>"  # noqa: S105 - no secret: how the server names whoever brings a token

TOKENS_ARE_CHECKED_AT_LOGIN = Rule(
    "sql_checks_tokens_at_login",
    "A SQL server checks signature, audience, tenant and end of a token at login only; an open session outlives it.",
    Mark.DOCUMENTED,
    "sql-tds.md section 5.5",
)
ONE_PORT = Rule(
    "one_port_for_all_sql_servers",
    "Each SQL server has a port, and there is one for all: there a login names its server, as LOGIN7 or as user@server, or"
    " gets the first that has the database and lets it in.",
    Mark.ABSENT,
    "in Azure each server has a name of its own; here they are all localhost",
)
NO_TOKEN_FETCHING = Rule(
    "sql_names_no_token_endpoint",
    "Drivers that want to be told where to fetch a token (ActiveDirectoryServicePrincipal and its kin) are refused with"
    " 33154; tokens have to be brought along.",
    Mark.ABSENT,
    "sql-tds.md section 3.6: on loopback it works with changes to the machine only",
)
RULES = (TOKENS_ARE_CHECKED_AT_LOGIN, ONE_PORT, NO_TOKEN_FETCHING)


def sign_in(
    tenant: Tenant, request: LoginRequest, address: str, server: str | None = None, spid: int = 51
) -> SqlSession:
    """Let a client in.

    Args:
        server: which one was asked; None where the client has to say so, or does not care.
        spid: the number of the session.

    Raises:
        SqlError: the server refuses.
    """
    try:
        who = _identity(tenant, request)
        database = request.database or "master"
        named = server or _named(tenant.world, request)
        session = _logged_in(tenant, named, database, who, address, spid)
    except SqlError as error:
        _note(tenant, request, error.number)
        raise
    _note(tenant, request, 0)
    return session


def _identity(tenant: Tenant, request: LoginRequest) -> Identity:
    if request.asks_for_tokens:
        raise SqlError(
            33154,
            "Client sent an invalid token when server was expecting federated authentication token.",
            16,
        )
    if request.token is None:
        return Identity("sql", request.user.partition("@")[0], request.password)
    try:
        caller = caller_by(tenant, request.token, tenant.now(), SQL)
    except TokenRefusedError:
        raise errors.login_failed(TOKEN_USER) from None
    if caller.account is not None:
        return Identity("entra", caller.account.user_principal_name, entra_id=caller.account.object_id)
    if caller.application is None:
        raise errors.login_failed(TOKEN_USER)
    client_id = caller.application.client_id
    return Identity("entra", client_id, entra_id=client_id, tenant=tenant.world.tenant_id)


def _logged_in(
    tenant: Tenant, named: str | None, database: str, who: Identity, address: str, spid: int
) -> SqlSession:
    """Without a name: the first server with that database that lets the client in, else what the first of them says."""
    world = tenant.world
    holders = [server.name for server in reachable(world) if server.database(database) is not None]
    others = [server.name for server in reachable(world)][:1]
    refusals = []
    for name in [named] if named else holders or others:
        try:
            return log_in(world, name, database, who, tenant.now, address, spid)
        except SqlError as error:
            refusals.append(error)
    raise refusals[0] if refusals else errors.no_server(named or "localhost")


def _named(world: World, request: LoginRequest) -> str | None:
    """The server that the client names, as LOGIN7 or as user@server; None where it names none that there is."""
    servers = {server.name.casefold(): server.name for server in reachable(world)}
    short = {name.partition(".")[0]: server for name, server in servers.items()}
    for name in (request.server, request.user.rpartition("@")[2]):
        bare = name.partition(",")[0].casefold()
        if found := servers.get(bare) or short.get(bare):
            return found
    return None


def _note(tenant: Tenant, request: LoginRequest, number: int) -> None:
    """For `/requests`: who knocked at which database, and the error number it got, 0 for none."""
    tenant.requests.append(
        {
            "at": tenant.now().isoformat(),
            "host": "sql",
            "method": "LOGIN7",
            "path": f"/{request.database}",
            "query": {},
            "body": None,
            "user_agent": request.application,
            "authorization": "token" if request.token is not None else "password",
            "status": number,
        }
    )
