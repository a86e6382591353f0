"""What a client of the sandbox needs to know: the content of the ready file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from holdfast.sandbox.chance import secret
from holdfast.sandbox.databases import reachable
from holdfast.sandbox.records.directory import Account, Application, ClientSecret
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.sql.catalogue import Server
from holdfast.sandbox.sql.login import Identity, refusals_of_login
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import World


def ready_mapping(tenant: Tenant, ca_file: Path) -> dict[str, Any]:
    """The ready file's fields, as design says; secrets in clear, so the file is its owner's only."""
    world = tenant.world
    return {
        "tenant_id": world.tenant_id,
        **{host.value: url for host, url in tenant.urls.items() if host not in (Host.DATAVERSE, Host.LINKS)},
        "dataverse": {
            environment.id: tenant.dataverse_url(environment.org)
            for environment in world.environments.values()
            if environment.org
        },
        "sql": _sql(tenant),
        "ca_file": str(ca_file),
        "accounts": list(_accounts(world)),
        "apps": [_app(world, app) for app in world.applications.values() if app.secrets],
        "roles": world.published.get("roles", {}),
        "scenario": world.scenario,
        "seed": world.seed,
    }


def ready_bytes(mapping: Mapping[str, Any]) -> bytes:
    """The ready mapping as the file holds it."""
    return json.dumps(mapping, indent=2).encode() + b"\n"


def password_text(world: World, account: Account) -> str:
    """The account's password as it is now."""
    return secret(world.seed, 20, "password", account.object_id, account.password_generation)


def secret_text(world: World, credential: ClientSecret) -> str:
    """The text of a client secret, 40 characters as the directory makes them."""
    return secret(world.seed, 40, "client secret", credential.key_id)


def refresh_token_text(world: World, token_id: str) -> str:
    """The opaque text of a refresh token: its id, and a part that only the tenant could have made."""
    return f"1.{token_id.replace('-', '')}.{secret(world.seed, 80, 'refresh token', token_id)}"


def _sql(tenant: Tenant) -> dict[str, Any]:
    """The SQL servers that are reached without a gateway: `port` is that of all of them, `servers` has one for each."""
    servers = reachable(tenant.world)
    return {
        "host": "localhost",
        "port": tenant.sql_ports.get("", 0),
        "servers": {
            server.name: tenant.sql_ports[server.name.casefold()]
            for server in servers
            if server.name.casefold() in tenant.sql_ports
        },
        "databases": sorted({database.name for server in servers for database in server.databases.values()}),
        "logins": [login for server in servers for login in _logins(server, tenant.now())],
    }


def _logins(server: Server, now: datetime) -> Iterator[dict[str, Any]]:
    """Those that some database lets in as things stand, with these databases."""
    for login in server.logins.values():
        who = Identity("sql", login.name, login.password)
        databases = [
            database.name
            for database in server.databases.values()
            if not login.is_windows
            and not any(refusals_of_login(server, database.name, who, now, "127.0.0.1"))
        ]
        if databases:
            yield {"username": login.name, "password": login.password, "databases": databases}


def _accounts(world: World) -> Iterator[dict[str, Any]]:
    """Those that can sign in and have left a client a token, with the newest."""
    newest: dict[str, RefreshToken] = {}
    for token in world.refresh_tokens.values():
        known = newest.get(token.account_id)
        if token.held_by is None and (known is None or known.issued_at < token.issued_at):
            newest[token.account_id] = token
    for account in world.accounts.values():
        left = newest.get(account.object_id)
        if account.enabled and account.deleted_at is None and left is not None:
            yield {
                "username": account.user_principal_name,
                "object_id": account.object_id,
                "password": password_text(world, account),
                "client_id": left.client_id,
                "refresh_token": refresh_token_text(world, left.id),
            }


def _app(world: World, app: Application) -> dict[str, Any]:
    newest = max(app.secrets, key=lambda credential: credential.created_at)
    return {
        "name": app.display_name,
        "client_id": app.client_id,
        "object_id": app.object_id,
        "secret": secret_text(world, newest),
        "sql_databases": app.sql_databases,
    }
