"""What a client of the sandbox needs to know: the content of the ready file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.sandbox.chance import secret
from holdfast.sandbox.tenant import Host, Tenant
from holdfast.sandbox.world import Account, Application, ClientSecret, World


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
        "ca_file": str(ca_file),
        "accounts": [_account(world, account) for account in world.accounts.values() if account.enabled],
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


def _account(world: World, account: Account) -> dict[str, Any]:
    held = [
        token
        for token in world.refresh_tokens.values()
        if token.account_id == account.object_id and token.held_by is None
    ]
    newest = max(held, key=lambda token: token.issued_at, default=None)
    return {
        "username": account.user_principal_name,
        "object_id": account.object_id,
        "password": password_text(world, account),
        "client_id": newest.client_id if newest else None,
        "refresh_token": refresh_token_text(world, newest.id) if newest else None,
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
