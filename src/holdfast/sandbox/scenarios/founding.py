"""Builds a world thing by thing, with ids that depend on the seed only; scenarios are written with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.chance import draw, guid
from holdfast.sandbox.entra.first_party import GRAPH, PUBLIC_CLIENTS, RESOURCES, SQL, SQL_CONNECTOR_CLIENT
from holdfast.sandbox.frame import Event
from holdfast.sandbox.records.directory import Account, Application, ClientSecret
from holdfast.sandbox.records.platform import (
    CanvasApp,
    Connection,
    ConnectionReference,
    Environment,
    Flow,
    FlowConnection,
    Gateway,
    OrgUser,
)
from holdfast.sandbox.records.policies import DataPolicy
from holdfast.sandbox.records.tokens import RefreshToken
from holdfast.sandbox.scenarios.living import Happening
from holdfast.sandbox.world import World

SECRET_LIFE = timedelta(days=180)


class Founding:
    """A world in the making. Names of things are unique within their kind: ids are derived from them."""

    def __init__(self, scenario: str, seed: int, now: datetime, domain: str = "contoso.example") -> None:
        self.now = now
        self.happenings: list[Happening] = []
        self.world = World(
            tenant_id=guid(seed, "tenant", scenario),
            domain=domain,
            seed=seed,
            scenario=scenario,
            born_at=now,
            settled_at=now,
        )
        for resource in RESOURCES:
            self._first_party(resource.client_id, resource.name, is_public=False)
        for client_id, name in PUBLIC_CLIENTS.items():
            self._first_party(client_id, name, is_public=True)

    def happened(self, at: datetime, event: Event, target: str, **details: Any) -> None:
        """Have an event of the control port happen in the world's past."""
        self.happenings.append(Happening(at, event, target, details))

    def id_of(self, kind: str, name: str) -> str:
        """The GUID of a named thing."""
        return guid(self.world.seed, self.world.scenario, kind, name)

    def ago(self, **length: float) -> datetime:
        """An instant before the world's beginning."""
        return self.now - timedelta(**length)

    def _first_party(self, client_id: str, name: str, *, is_public: bool) -> None:
        made = self.ago(days=1500)
        self.world.applications[client_id] = Application(
            client_id=client_id,
            object_id=self.id_of("application", client_id),
            display_name=name,
            created_at=made,
            principal_id=self.id_of("principal", client_id),
            principal_created_at=made,
            is_public=is_public,
            is_first_party=True,
            delegated=everything(),
        )

    def account(self, alias: str, display_name: str, **more: Any) -> Account:
        """A user with a password set 200 days ago and no second factor."""
        set_at = more.pop("password_changed_at", self.ago(days=200))
        account = Account(
            object_id=self.id_of("account", alias),
            user_principal_name=f"{alias}@{self.world.domain}",
            display_name=display_name,
            created_at=more.pop("created_at", self.ago(days=900)),
            password_changed_at=set_at,
            tokens_valid_from=more.pop("tokens_valid_from", set_at),
            **more,
        )
        self.world.accounts[account.object_id] = account
        return account

    def app(self, name: str, *, secret_ends_in: timedelta | None = SECRET_LIFE, **more: Any) -> Application:
        """A registered application with a service principal and, unless None, one client secret."""
        made = more.pop("created_at", self.ago(days=170))
        client_id = self.id_of("client", name)
        app = Application(
            client_id=client_id,
            object_id=self.id_of("application", name),
            display_name=name,
            created_at=made,
            principal_id=self.id_of("principal", name),
            principal_created_at=made,
            **more,
        )
        if secret_ends_in is not None:
            ends = self.now + secret_ends_in
            app.secrets.append(
                ClientSecret(
                    key_id=self.id_of("secret", name),
                    label="first",
                    starts_at=made,
                    expires_at=ends,
                    created_at=made,
                )
            )
        self.world.applications[client_id] = app
        return app

    def principal_of(self, name: str) -> str:
        """The object id of a named application's service principal."""
        return self.id_of("principal", name)

    def signed_in(self, account: Account, client: Application, at: datetime, **more: Any) -> RefreshToken:
        """A refresh token that a client holds after the person signed in with a password."""
        scopes = [f"{GRAPH.uris[0]}/.default", "offline_access"]
        token = RefreshToken(
            id=self.id_of("token", f"{account.object_id}/{client.client_id}"),
            account_id=account.object_id,
            client_id=client.client_id,
            issued_at=at,
            signed_in_at=at,
            **{"scopes": scopes, **more},
        )
        self.world.refresh_tokens[token.id] = token
        return token

    def environment(
        self, name: str, *, is_default: bool = False, org: str | None = None, **more: Any
    ) -> Environment:
        """An environment; with Dataverse when `org` is given."""
        made = Environment(
            id=f"Default-{self.world.tenant_id}" if is_default else self.id_of("environment", name),
            display_name=name,
            created_at=self.ago(days=800),
            is_default=is_default,
            sku="Default" if is_default else more.pop("sku", "Production"),
            org=org,
            org_id=self.id_of("org", org) if org else None,
            **more,
        )
        self.world.environments[made.id] = made
        return made

    def connection(self, name: str, environment: Environment, owner: Account, **more: Any) -> Connection:
        """A connection to SQL; `parameter_set` and whatever else goes with it in `more`."""
        made = more.pop("created_at", self.ago(days=120))
        connection = Connection(
            id=self.id_of("connection", name).replace("-", ""),
            environment_id=environment.id,
            connector=more.pop("connector", "shared_sql"),
            display_name=name,
            owner_id=owner.object_id,
            created_at=made,
            modified_at=more.pop("modified_at", made),
            **more,
        )
        self.world.connections[connection.id] = connection
        return connection

    def oauth_connection(
        self, name: str, environment: Environment, owner: Account, *, used_at: datetime, **more: Any
    ) -> Connection:
        """A connection on its owner's sign-in, last refreshed at `used_at`."""
        signed_in_at = more.pop("signed_in_at", used_at - timedelta(days=40))
        token_class = more.pop("token_class", "confidential")
        methods = more.pop("methods", ["pwd"])
        connection = self.connection(
            name,
            environment,
            owner,
            parameter_set="oauth",
            account_name=owner.user_principal_name,
            created_at=signed_in_at,
            modified_at=used_at,
            last_token_at=used_at,
            token_expires_at=used_at + self.token_life(name),
            **more,
        )
        token = RefreshToken(
            id=self.id_of("token", connection.id),
            account_id=owner.object_id,
            client_id=SQL_CONNECTOR_CLIENT,
            issued_at=used_at,
            used_at=used_at,
            signed_in_at=signed_in_at,
            methods=methods,
            token_class=token_class,
            scopes=[f"{SQL.uris[0]}//.default", "offline_access"],
            held_by=connection.id,
        )
        self.world.refresh_tokens[token.id] = token
        connection.refresh_token_id = token.id
        return connection

    def principal_connection(
        self,
        name: str,
        environment: Environment,
        owner: Account,
        app: Application,
        *,
        secret: str,
        used_at: datetime,
    ) -> Connection:
        """A connection on an application's client secret."""
        return self.connection(
            name,
            environment,
            owner,
            parameter_set="oauthSP",
            parameters={"token:TenantId": self.world.tenant_id, "token:clientId": app.client_id},
            secrets={"token:clientSecret": secret},
            modified_at=used_at,
            last_token_at=used_at,
            token_expires_at=used_at + self.token_life(name),
        )

    def token_life(self, name: str) -> timedelta:
        """An access token's life: 60 to 90 minutes (entra-docs access-tokens)."""
        return timedelta(seconds=3600 + int(1800 * draw(self.world.seed, "token life", name)))

    def gateway(self, name: str) -> Gateway:
        """An on-premises gateway that is online."""
        gateway = Gateway(id=self.id_of("gateway", name), display_name=name)
        self.world.gateways[gateway.id] = gateway
        return gateway

    def reference(
        self,
        logical_name: str,
        display_name: str,
        connection: Connection | None,
        environment: Environment,
        owner: Account,
    ) -> ConnectionReference:
        """A connection reference to SQL."""
        reference = ConnectionReference(
            id=self.id_of("reference", logical_name),
            environment_id=environment.id,
            logical_name=logical_name,
            display_name=display_name,
            connector=connection.connector if connection else "shared_sql",
            connection_id=connection.id if connection else None,
            owner_id=owner.object_id,
            modified_at=self.ago(days=60),
        )
        self.world.references[reference.id] = reference
        return reference

    def flow(
        self,
        name: str,
        environment: Environment,
        owner: Account,
        definition: Mapping[str, Any],
        uses: Sequence[Connection | ConnectionReference],
        **more: Any,
    ) -> Flow:
        """A cloud flow whose keys are shared_sql, shared_sql_1 …; in Dataverse when it uses references."""
        keys = ["shared_sql" if n == 0 else f"shared_sql_{n}" for n in range(len(uses))]
        in_solution = any(isinstance(used, ConnectionReference) for used in uses)
        flow = Flow(
            id=self.id_of("flow", name),
            environment_id=environment.id,
            display_name=name,
            owner_id=owner.object_id,
            created_at=more.pop("created_at", self.ago(days=100)),
            modified_at=more.pop("modified_at", self.ago(days=100)),
            definition=dict(definition),
            connections={key: _named(used) for key, used in zip(keys, uses, strict=True)},
            workflow_id=self.id_of("workflow", name) if in_solution else None,
            **more,
        )
        self.world.flows[flow.id] = flow
        return flow

    def application_user(self, app: Application, environment: Environment, *roles: str) -> OrgUser:
        """An application that is a user of the environment's Dataverse, with security roles."""
        user = OrgUser(
            id=self.id_of("application user", f"{environment.id}/{app.client_id}"),
            environment_id=environment.id,
            principal_id=app.principal_id or "",
            roles=list(roles),
        )
        self.world.org_users[user.id] = user
        return user

    def data_policy(self, name: str, **more: Any) -> DataPolicy:
        """A data policy; by default one for all environments that names no connector."""
        made = self.ago(days=400)
        policy = DataPolicy(
            id=self.id_of("data policy", name),
            display_name=name,
            created_at=made,
            modified_at=made,
            etag=self.id_of("etag", name),
            **more,
        )
        self.world.data_policies[policy.id] = policy
        return policy

    def canvas_app(
        self, name: str, environment: Environment, owner: Account, uses: Sequence[Connection]
    ) -> CanvasApp:
        """A canvas app that brings these connections to its users."""
        made = CanvasApp(
            id=self.id_of("canvas app", name),
            environment_id=environment.id,
            display_name=name,
            owner_id=owner.object_id,
            created_at=self.ago(days=90),
            connection_ids=[connection.id for connection in uses],
        )
        self.world.apps[made.id] = made
        return made


def everything() -> list[str]:
    """Consent to each resource's usual delegated permissions."""
    return [f"{resource.client_id}/{scope}" for resource in RESOURCES for scope in resource.scopes]


def _named(used: Connection | ConnectionReference) -> FlowConnection:
    if isinstance(used, Connection):
        return FlowConnection(connector=used.connector, connection_id=used.id)
    return FlowConnection(connector=used.connector, reference=used.logical_name)
