"""A tenant of many kinds of connections for the benchmark of forecasts."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from holdfast.sandbox.ready import secret_text
from holdfast.sandbox.records.directory import Account, Application, ClientSecret
from holdfast.sandbox.records.platform import Connection, Environment
from holdfast.sandbox.records.policies import Policy
from holdfast.sandbox.scenarios import named as scenarios
from holdfast.sandbox.scenarios.contoso import _certificate
from holdfast.sandbox.scenarios.definitions import definition, query, recurrence
from holdfast.sandbox.scenarios.founding import Founding
from holdfast.sandbox.scenarios.sql_founding import ServerFounding

SERVER = "sql-contoso.database.windows.net"
DATABASES = 8
FREQUENCY_DAYS = 150
REMEMBERED = timedelta(days=300)


@dataclass
class Maker:
    """Makes the connections of one tenant, each of a kind of its own.

    Attributes:
        kinds: number and kind of each connection, by id.
        ends: login and end of each password that somebody wrote into a table, by connection.
    """

    found: Founding
    client: Application
    place: Environment
    chance: random.Random
    kinds: dict[str, tuple[int, str]] = field(default_factory=dict)
    ends: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    logins: dict[str, tuple[str, datetime | None]] = field(default_factory=dict)

    def person(self, number: int) -> Account:
        return self.found.account(f"user{number}", f"User {number}", licences=["POWERAUTOMATE_PREMIUM"])

    def user(
        self,
        number: int,
        kind: str,
        often: dict[str, Any] | None,
        *,
        in_solution: bool = True,
        methods: Sequence[str] = ("pwd",),
    ) -> None:
        """A person's sign-in, and a flow that uses it as often as said; None for none."""
        owner, name = self.person(number), f"{kind} {number}"
        months = often["interval"] if often and often["frequency"] == "Month" else 0
        longest = min(85, 30 * months)
        days = self.chance.randrange(31, longest) if longest > 31 else 31 if months else 1
        used = self.found.ago(days=days, minutes=self.chance.randrange(600))
        if often is None:
            used = self.found.ago(days=self.chance.randrange(0, 80))
        connection = self.found.oauth_connection(name, self.place, owner, used_at=used, methods=list(methods))
        self.kinds[connection.id] = (number, kind)
        if often is None:
            return
        # Without a start time months count from when the flow was turned on: from a run that was.
        since: dict[str, Any] = (
            {"created_at": used, "modified_at": used} if often["frequency"] == "Month" else {}
        )
        self._flow(number, owner, connection, often, in_solution=in_solution, **since)

    def principal(self, number: int, kind: str, *ends: int) -> None:
        """A service principal with a secret per end (days from now); the connection holds the first."""
        owner, name = self.person(number), f"{kind} {number}"
        app = self.found.app(f"app {number}", secret_ends_in=timedelta(days=ends[0]))
        for which, days in enumerate(ends[1:]):
            made = self.found.ago(days=170)
            app.secrets.append(
                ClientSecret(
                    key_id=self.found.id_of("secret", f"{number}-{which}"),
                    label=f"further {which}",
                    starts_at=made,
                    expires_at=self.found.now + timedelta(days=days),
                    created_at=made,
                )
            )
        text = secret_text(self.found.world, app.secrets[0])
        connection = self.found.principal_connection(
            name, self.place, owner, app, secret=text, used_at=self.found.ago(hours=5)
        )
        self.kinds[connection.id] = (number, kind)
        self._flow(number, owner, connection, often("Week"))

    def certificate(self, number: int, kind: str, ends: int) -> None:
        """An application that proves itself with a certificate."""
        owner = self.person(number)
        app = self.found.app(f"app {number}", secret_ends_in=None)
        app.certificates.append(_certificate(self.found, app, timedelta(days=ends)))
        used = self.found.ago(hours=5)
        connection = self.found.connection(
            f"{kind} {number}",
            self.place,
            owner,
            parameter_set="certOauth",
            parameters={"token:TenantId": self.found.world.tenant_id, "token:clientId": app.client_id},
            secrets={"token:clientCertificateSecret": app.certificates[0].sha1},
            modified_at=used,
            last_token_at=used,
            token_expires_at=used + self.found.token_life(f"{kind} {number}"),
        )
        self.kinds[connection.id] = (number, kind)
        self._flow(number, owner, connection, often("Week"))

    def login(self, number: int, kind: str, ends: int | None, *, in_table: bool = False) -> None:
        """A login of SQL Server with a password, which ends by the server's policy or never."""
        name, database = f"login{number}", f"erp{number % DATABASES}"
        owner = self.person(number)
        connection = self.found.connection(
            f"{kind} {number}",
            self.place,
            owner,
            parameter_set="sqlAuthentication",
            parameters={"server": SERVER, "database": database},
            secrets={"username": name, "password": "kept by nobody"},
        )
        expires = None if ends is None else self.found.now + timedelta(days=ends)
        self.logins[name] = (database, expires)
        if in_table and expires is not None:
            self.ends[connection.id] = (name, expires)
        self.kinds[connection.id] = (number, kind)
        self._flow(number, owner, connection, often("Day"), place=("default", "default"))

    def limited(self, number: int, kind: str, *, demand: str) -> None:
        """A person's sign-in that is used daily and ends of a policy: "mfa" or "frequency"."""
        self.user(number, kind, often("Day"), methods=["pwd", "mfa"])
        controls: dict[str, Any] = {"grant_controls": {"operator": "OR", "builtInControls": ["mfa"]}}
        if demand == "frequency":
            lasts = {
                "isEnabled": True,
                "type": "days",
                "value": FREQUENCY_DAYS,
                "frequencyInterval": "timeBased",
            }
            controls = {"session_controls": {"signInFrequency": lasts}}
        policy = Policy(
            id=self.found.id_of("policy", f"{kind} {number}"),
            display_name=f"{kind} {number}",
            state="enabled",
            created_at=self.found.ago(days=300),
            conditions={
                "applications": {"includeApplications": ["All"]},
                "users": {"includeUsers": [self.person(number).object_id]},
            },
            **controls,
        )
        self.found.world.policies[policy.id] = policy

    def _flow(
        self,
        number: int,
        owner: Account,
        connection: Connection,
        often: dict[str, Any],
        *,
        in_solution: bool = True,
        place: tuple[str, str] | None = None,
        **since: Any,
    ) -> None:
        name = connection.display_name
        uses = [
            self.found.reference(f"con_{number}", name, connection, self.place, owner)
            if in_solution
            else connection
        ]
        trigger = recurrence(often["frequency"], often["interval"])
        server, database = place or (SERVER, f"erp{number % DATABASES}")
        what = definition(trigger, ("Ask", query("SELECT 1 AS n", server, database)))
        self.found.flow(f"Flow {number}", self.place, owner, what, uses, **since)


def often(frequency: str, interval: int = 1) -> dict[str, Any]:
    return {"frequency": frequency, "interval": interval}


KINDS: tuple[tuple[int, Callable[[Maker, int], None]], ...] = (
    (4, lambda m, n: m.user(n, "daily", often("Day"))),
    (4, lambda m, n: m.user(n, "weekly", often("Week"))),
    (1, lambda m, n: m.user(n, "monthly", often("Month"))),
    (1, lambda m, n: m.user(n, "two-monthly", often("Month", 2))),
    (2, lambda m, n: m.user(n, "quarterly", often("Month", 3))),
    (1, lambda m, n: m.user(n, "yearly", often("Month", 12))),
    (1, lambda m, n: m.user(n, "unused", None)),
    (1, lambda m, n: m.user(n, "daily, unseen", often("Day"), in_solution=False)),
    (1, lambda m, n: m.user(n, "two-monthly, unseen", often("Month", 2), in_solution=False)),
    (1, lambda m, n: m.user(n, "quarterly, unseen", often("Month", 3), in_solution=False)),
    (3, lambda m, n: m.principal(n, "one secret", m.chance.randrange(20, 900))),
    (1, lambda m, n: m.certificate(n, "certificate", m.chance.randrange(20, 900))),
    (
        2,
        lambda m, n: m.principal(n, "two secrets", m.chance.randrange(20, 400), m.chance.randrange(500, 900)),
    ),
    (1, lambda m, n: m.login(n, "SQL login", m.chance.randrange(20, 900))),
)
FURTHER: tuple[tuple[int, Callable[[Maker, int], None]], ...] = (
    (1, lambda m, n: m.login(n, "SQL login in a table", m.chance.randrange(20, 900), in_table=True)),
    (1, lambda m, n: m.login(n, "SQL login without an end", None)),
    (1, lambda m, n: m.limited(n, "second factor", demand="mfa")),
    (1, lambda m, n: m.limited(n, "sign-in frequency", demand="frequency")),
)
"""What people write down or set, beside what the cloud alone tells."""


def tenant_of(
    size: int,
    days: int,
    kinds: dict[str, tuple[int, str]],
    chance: random.Random,
    *,
    further: bool = False,
    ends: dict[str, tuple[str, datetime]] | None = None,
) -> Callable[[Founding], None]:
    """Founds a tenant of so many connections that lives for so many days.

    Args:
        kinds: filled with number and kind of each connection.
        further: with the kinds that need a table or settings to be foretold.
        ends: filled with what stands in that table.
    """

    def make(found: Founding) -> None:
        client = scenarios._identities(found)
        for app in found.world.applications.values():
            for secret in app.secrets:
                secret.expires_at += timedelta(days=2 * days)  # our own must outlive the benchmark
        place = found.environment("Finance", org="contoso-finance")
        scenarios._application_users(found, place)
        maker = Maker(found, client, place, chance, kinds, {} if ends is None else ends)
        wheel = [
            make_one for share, make_one in (*KINDS, *(FURTHER if further else ())) for _ in range(share)
        ]
        if further:
            found.world.remember_mfa_for = REMEMBERED
        for number in range(size):
            wheel[number % len(wheel)](maker, number)
        _databases(found, maker)

    return make


def _databases(found: Founding, maker: Maker) -> None:
    """Everybody may connect: what breaks here breaks at the sign-in."""
    admin = next(a for a in found.world.applications.values() if a.display_name == "holdfast-sql-admin")
    server = ServerFounding(found.world, SERVER, found.ago(days=700), entra_admin=admin.client_id)
    for number in range(DATABASES):
        server.table(f"erp{number}", "dbo.Orders", 1, {"Customer": "nvarchar(100)"})
    for account in list(found.world.accounts.values()):
        if account.display_name.startswith("User "):
            server.user(f"erp{int(account.display_name[5:]) % DATABASES}", account)
    for app in list(found.world.applications.values()):
        if app.display_name.startswith("app "):
            server.user(f"erp{int(app.display_name[4:]) % DATABASES}", app)
    for name, (database, expires) in maker.logins.items():
        server.login(database, name, "kept by nobody", expires_at=expires)
