"""What can be set: the shape of the settings file. Reading it is `load`; what a wrong one is told is `complaint`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from holdfast.core.errors import SettingsError
from holdfast.core.identity import Cloud, Role
from holdfast.settings.values import BaseUrl, Guid, Length, SecretSource, SqlAddress, listed, span, zone

SHORTEST_RETENTION = 180
"""Days: a forecast made at the start of a refresh token's 90 idle days can then still be graded after their end."""

NO_ID = "00000000-0000-0000-0000-000000000000"
"""Stands in a new file where an id is to be put in."""

CREDENTIALS = ("secret", "certificate", "federated_token_file", "managed_identity", "az", "sign_in")


class Frozen(BaseModel):
    """No unknown keys, no changes after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Identity(Frozen):
    """Who holdfast is for one role, by exactly one credential.

    Attributes:
        client_id: of the application; not with `az`.
        secret: a reference, or the text itself from the environment.
        certificate: a PEM file with the private key and the certificate.
        certificate_password: of an encrypted key; a reference as above.
        federated_token_file: a token of another issuer that the application trusts, read anew for each sign-in.
        managed_identity: of the machine; with `client_id` a user-assigned one.
        az: whoever is signed in to the Azure CLI.
        sign_in: the person of `holdfast login`, by the tenant's own public client `client_id`.
    """

    client_id: Guid | None = None
    secret: SecretSource | None = None
    certificate: Path | None = None
    certificate_password: SecretSource | None = None
    federated_token_file: Path | None = None
    managed_identity: bool = False
    az: bool = False
    sign_in: bool = False

    @property
    def credential(self) -> str:
        """Which of CREDENTIALS is given."""
        return self._given()[0]

    def _given(self) -> list[str]:
        return [name for name in CREDENTIALS if getattr(self, name)]

    @model_validator(mode="after")
    def _one_credential(self) -> Identity:
        given = self._given()
        if len(given) > 1:
            raise PydanticCustomError("contradiction", "only one credential may be given", {"keys": given})
        if not given:
            one_of = ", ".join(CREDENTIALS)
            raise PydanticCustomError("no_credential", "has no credential: give one of {of}", {"of": one_of})
        if given[0] == "az" and self.client_id:
            raise PydanticCustomError(
                "contradiction", "the Azure CLI brings its own client id", {"keys": ["az", "client_id"]}
            )
        if given[0] not in ("az", "managed_identity") and not self.client_id:
            raise PydanticCustomError("no_client_id", "needs a client_id beside {key}", {"key": given[0]})
        return self


class Hosts(Frozen):
    """Base URLs that replace those of the cloud, by kind; what is not given is the cloud's own.

    Attributes:
        authority: where identities sign in.
        graph: Microsoft Graph.
        powerapps: the Power Apps API.
        bap: the Power Platform admin API.
        flow: the Power Automate API.
        powerplatform: the Power Platform API.
        apihub: where connections are used.
        dataverse: base URLs of organisations, a `*` for the left-most label allowed.
        sql: HOST:PORT where all SQL servers are reached instead of at their names, or SERVER=HOST:PORT for one of them.
    """

    authority: BaseUrl | None = None
    graph: BaseUrl | None = None
    powerapps: BaseUrl | None = None
    bap: BaseUrl | None = None
    flow: BaseUrl | None = None
    powerplatform: BaseUrl | None = None
    apihub: BaseUrl | None = None
    dataverse: Annotated[tuple[BaseUrl, ...], BeforeValidator(listed)] = ()
    sql: Annotated[tuple[SqlAddress, ...], BeforeValidator(listed)] = ()

    def given(self) -> dict[str, str]:
        """The kinds that have one base URL of their own; `dataverse` and `sql` stand apart."""
        return {kind: url for kind, url in self if isinstance(url, str)}

    def sql_addresses(self) -> dict[str, tuple[str, int]]:
        """Host and port by the name of the server; "" stands for all others."""
        parted = [each.rpartition("=") for each in self.sql]
        places = {server: place.partition(":") for server, _, place in parted}
        return {server: (host, int(port)) for server, (host, _, port) in places.items()}


class Tenant(Frozen):
    """One Entra tenant, and who holdfast is in it.

    Attributes:
        name: ours, from the settings' table; the store keeps a tenant's rows under `tenant_id`.
        tenant_id: the id of the Overview page of Entra.
        cloud: "public", "gcc", "gcc_high", "dod" or "china".
        ca_file: certificate authorities to trust instead of the machine's.
        scope: what the reader sees: "tenant", as an administrator, or "own", as a maker.
        allow_custom_hosts: whether tokens may go to hosts outside the shipped lists.
        remember_mfa: how long the tenant remembers a second factor ("14d"), which no call tells; absent where a proof
            lasts as the sign-in does.
        terms_of_use: how often terms of use must be accepted anew ("90d"), which no call tells; absent for once.
        flow_reader: a person who administers Power Platform, by whose sign-in flows outside solutions are listed.
    """

    name: str
    tenant_id: Guid
    cloud: Cloud = Cloud.PUBLIC
    hosts: Hosts = Hosts()
    ca_file: Path | None = None
    scope: Literal["tenant", "own"] = "tenant"
    allow_custom_hosts: bool = False
    remember_mfa: Length | None = None
    terms_of_use: Length | None = None
    reader: Identity | None = None
    operator: Identity | None = None
    app_admin: Identity | None = None
    sql_admin: Identity | None = None
    flow_reader: Identity | None = None

    @model_validator(mode="after")
    def _is_a_person(self) -> Tenant:
        if self.flow_reader is not None and self.flow_reader.credential not in ("sign_in", "az"):
            raise PydanticCustomError(
                "no_person", "flow_reader must be a person, since no application is answered: sign_in or az"
            )
        return self

    def identity(self, role: Role) -> Identity | None:
        """Who holdfast is for this role; None where the role is not set up."""
        found: Identity | None = getattr(self, role.value)
        return found


class Vault(Frozen):
    """An Azure key vault (the extra `azure`).

    Attributes:
        url: https://NAME.vault.azure.net.
        tenant: which of the tenants here it trusts, where there are several.
        identity: who holdfast is there, as for a role: client_id and one credential.
    """

    url: BaseUrl
    tenant: str | None = None
    identity: Identity

    @model_validator(mode="after")
    def _opens_from_outside(self) -> Vault:
        secrets = (self.identity.secret, self.identity.certificate_password)
        if self.identity.sign_in or any(getattr(each, "kind", "") == "keyvault" for each in secrets):
            raise PydanticCustomError(
                "circle",
                "cannot be opened with what would lie in it: give its identity a managed identity, a certificate, a"
                " federated token, the Azure CLI, or a secret from the keyring, the encrypted file or the environment",
            )
        return self


class SecretStores(Frozen):
    """Where secrets lie.

    Attributes:
        store: where new secrets go, "keyring", "file" or "keyvault".
        file: the encrypted file; in the state folder by default.
        key_file: holds the encrypted file's key; the keyring holds it by default.
    """

    store: Literal["keyring", "file", "keyvault"] = "keyring"
    file: Path | None = None
    key_file: Path | None = None
    vault: Vault | None = None

    @model_validator(mode="after")
    def _has_its_vault(self) -> SecretStores:
        if self.store == "keyvault" and self.vault is None:
            raise PydanticCustomError(
                "no_vault", 'has store = "keyvault" and no vault: add [secrets.vault] with url and identity'
            )
        return self


class Channel(Frozen):
    """A way to tell people or programs.

    Attributes:
        kind: "mail", "teams" (a Workflows webhook), "webhook" (signed), or "apprise" (anything that Apprise speaks).
        url: a reference, since such addresses carry secrets: smtp://USER:PASSWORD@HOST:PORT, https://…
        key: a reference to the key that signs a webhook.
        sender: of mail, the address that it comes from.
        to: of mail, who gets what is for nobody in particular.
        tells: whom it reaches: "owner" (by mail, the person it concerns), "admin", "dba".
        topics: what it is given: "*", "connection.*", "rotation.stuck".
        tenants: names; all where there are none.
        digest: collect, and hand on once a day.
    """

    kind: Literal["mail", "teams", "webhook", "apprise"]
    url: SecretSource
    key: SecretSource | None = None
    sender: str = ""
    to: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    tells: Annotated[tuple[Literal["owner", "admin", "dba"], ...], BeforeValidator(listed)] = (
        "admin",
        "dba",
    )
    topics: Annotated[tuple[str, ...], BeforeValidator(listed)] = ("*",)
    tenants: Annotated[tuple[str, ...], BeforeValidator(listed)] = ()
    digest: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> Channel:
        if self.kind == "mail" and "@" not in self.sender:
            raise PydanticCustomError("sender", "of kind mail needs `sender`, the address that it comes from")
        if "owner" in self.tells and self.kind != "mail":
            raise PydanticCustomError("owner", "can tell owners by mail only")
        return self


class Alerts(Frozen):
    """Who is told of what, and when not.

    Attributes:
        channels: by name.
        quiet: "20:00-07:00": nothing leaves then.
        digest_at: time of day of digests: "08:00".
        time_zone: of both, an IANA name.
        check_every: how often is looked what there is to tell.
        ca_file: certificates to believe instead of the operating system's.
    """

    channels: Mapping[str, Channel] = Field(default_factory=dict)
    quiet: Annotated[tuple[time, time] | None, BeforeValidator(span)] = None
    digest_at: time = time(8)
    time_zone: Annotated[str, AfterValidator(zone)] = "UTC"
    check_every: Length = timedelta(minutes=15)
    ca_file: Path | None = None


class Hooks(Frozen):
    """Commands of your own that are told of every step of a plan, as JSON on standard input.

    Attributes:
        before: run before a step is done or undone, as a list of words; unless it ends with 0 the step is not done.
        after: run after one is done; unless it ends with 0 the step is not taken for done.
        timeout: how long each may take.
    """

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    timeout: Length = timedelta(minutes=5)


class Watch(Frozen):
    """What `holdfast watch` does by itself.

    Attributes:
        scan_every: how old a tenant's picture may become before it is scanned again: 12h, 1d, 1w.
    """

    scan_every: Length = timedelta(days=1)


class Rotate(Frozen):
    """What `holdfast watch` does about secrets and certificates that are due.

    Attributes:
        automatic: whether it renews them by itself; else it only tells.
    """

    automatic: bool = False


class Settings(Frozen):
    """All that can be set.

    Attributes:
        state_dir: where the store, the encrypted secrets and the sandbox lie; your user's state folder by default.
        store_url: a reference to postgresql://USER:PASSWORD@HOST/DATABASE, which then holds the history instead of a
            file in the state folder, or that text itself from the environment; needs the extra `postgres`.
        retention_days: how far back history reaches; a scan drops what is older when it ends.
        tenant: which tenant, where `--tenant` is not given and there are several.
        sql_driver: "python-tds", "odbc" (the extra `odbc`), or "auto": odbc where it is installed, else python-tds.
        source: the settings file that was read, None when there was none.
        origins: dotted key → where it was set, "FILE:LINE" or the variable. What is absent is a default.
    """

    state_dir: Path
    store_url: SecretSource | None = None
    retention_days: Annotated[int, Field(ge=SHORTEST_RETENTION)] = 730
    tenant: str | None = None
    tenants: Mapping[str, Tenant] = Field(default_factory=dict)
    secrets: SecretStores = SecretStores()
    watch: Watch = Watch()
    rotate: Rotate = Rotate()
    alerts: Alerts = Alerts()
    hooks: Hooks = Hooks()
    sql_driver: Literal["auto", "python-tds", "odbc"] = "auto"
    source: Path | None = Field(default=None, exclude=True)
    origins: Mapping[str, str] = Field(default_factory=dict, exclude=True, repr=False)

    @model_validator(mode="after")
    def _knows_the_vault_s_tenant(self) -> Settings:
        vault = self.secrets.vault
        if vault is not None and self.tenants:
            try:
                self.chosen(vault.tenant)
            except SettingsError as error:
                raise PydanticCustomError(
                    "vault_tenant",
                    "secrets.vault.tenant must name the vault's tenant: {why}",
                    {"why": str(error)},
                ) from None
        return self

    def chosen(self, name: str | None = None) -> Tenant:
        """The tenant of that name; without one, the setting `tenant` or the only one there is.

        Raises:
            SettingsError: there is none of that name, or several and none was named.
        """
        wanted = name or self.tenant
        names = ", ".join(sorted(self.tenants))
        if not self.tenants:
            where = f"{self.source} has no [tenants.NAME]" if self.source else "there is no settings file"
            raise SettingsError(f"No tenant is set up ({where}): run `holdfast init`, or try with --sandbox.")
        if wanted is None and len(self.tenants) > 1:
            raise SettingsError(f"There are several tenants ({names}): name one with --tenant.")
        if wanted is None:
            return next(iter(self.tenants.values()))
        if wanted not in self.tenants:
            raise SettingsError(f"There is no tenant {wanted!r} in the settings: there is {names}.")
        return self.tenants[wanted]

    @property
    def keep(self) -> timedelta:
        """How far back history reaches."""
        return timedelta(days=self.retention_days)

    @property
    def secrets_file(self) -> Path:
        """Of the encrypted store."""
        return self.secrets.file or self.state_dir / "secrets.enc"
