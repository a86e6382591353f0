"""All of it as Markdown, with where it was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from holdfast.cli.setup.azure_cli import azure_cli
from holdfast.cli.setup.needs import Needs, Target
from holdfast.cli.setup.portal import portal
from holdfast.cli.setup.powershell import powershell
from holdfast.cli.setup.vault import key_vault

SOURCES = (
    (
        "documented",
        "learn.microsoft.com/azure/key-vault/general/rbac-guide (Key Vault Secrets Officer; az keyvault create"
        " --enable-rbac-authorization)",
    ),
    ("documented", "learn.microsoft.com/cli/azure/ad/app/permission (add, admin-consent, appRoles as Role)"),
    (
        "documented",
        "learn.microsoft.com/power-platform/admin/powershell-create-service-principal (New-PowerAppManagementApp; only a"
        " person who is administrator may run it; the application then has a tenant administrator's power)",
    ),
    (
        "documented",
        "microsoft/Dataverse-skills dv-security/SKILL.md @03ab179 (pac admin assign-user --application-user)",
    ),
    (
        "documented",
        "learn.microsoft.com/cli/azure/ad/app/credential (reset --create-cert), federated-credential; "
        "graph/api/serviceprincipal-post-approleassignments (for managed identities), oauth2permissiongrant-post",
    ),
    (
        "documented",
        "learn.microsoft.com/sql/t-sql/statements/create-user-transact-sql; only an Entra identity may run FROM EXTERNAL PROVIDER",
    ),
    (
        "assumed",
        "the delegated permission `Flows.Read.All` of Microsoft Flow Service, beside `User` of PowerApps Service, lets an"
        " administrator list every flow (pnp/cli-microsoft365 registers its client with it)",
    ),
    (
        "assumed",
        "the delegated permissions `User` of PowerApps Service and `user_impersonation` of Dynamics CRM suffice for"
        " holdfast login (terraform-provider-power-platform docs/guides/app_registration.md asks for them)",
    ),
)


def page(
    target: Target, roles: Iterable[Needs], *, credential: str = "secret", with_vault: bool = False
) -> str:
    """All of it.

    Args:
        credential: of the settings; a role that only a person can have is for "sign_in" whatever it is.
    """
    lines = [
        f"# Set holdfast up in {target.name} ({target.tenant_id}, {target.cloud.value})",
        "",
        "holdfast runs none of this. Read it, then run one of the three ways per role, as an administrator.",
    ]
    for needs in roles:
        proof = "sign_in" if needs.is_for_a_person and credential != "az" else credential
        lines += ["", f"## {needs.role.value}", "", *_role(target, needs, proof)]
    if with_vault:
        lines += ["", "## vault", "", *key_vault(target)]
    lines += ["", "Where this was read:", ""]
    return "\n".join([*lines, *(f"- {mark}: {source}" for mark, source in SOURCES)])


def _role(target: Target, needs: Needs, credential: str) -> list[str]:
    if needs.are_none:
        return [
            f"This version of holdfast makes no cloud call as {needs.role.value}: there is nothing to set up."
        ]
    is_person = credential in ("sign_in", "az")
    lines = ["Needs:", *(f"- {line}" for line in (_of_a_person if is_person else _in_words)(needs)), ""]
    if credential == "az":
        lines += ["Nothing is registered: holdfast asks as whoever signs in to the Azure CLI.", ""]
        lines += ["```sh", f"az login --tenant {target.tenant_id} --allow-no-subscriptions", "```", ""]
    else:
        lines += ["Azure CLI:", "", "```sh", *azure_cli(target, needs, credential), "```", ""]
        lines += ["or PowerShell:", "", "```powershell", *powershell(target, needs, credential), "```", ""]
        steps = enumerate(portal(target, needs, credential), 1)
        lines += ["or the portals:", "", *(f"{number}. {step}" for number, step in steps), ""]
    if needs.database_rights:
        lines += [*_in_databases(target, needs, credential), ""]
    return [*lines, *_after(target, needs, credential)]


def _in_databases(target: Target, needs: Needs, credential: str) -> Iterator[str]:
    """The T-SQL that lets the identity in."""
    person, machine = "[NAME@YOUR.DOMAIN]", "[NAME OF THE MANAGED IDENTITY]"
    named = {"sign_in": person, "az": person, "managed_identity": machine}
    user = named.get(credential, f"[{target.app_name(needs.role)}]")
    yield "Then in each database, signed in as an Entra administrator of the server:"
    yield ""
    yield "```sql"
    yield f"CREATE USER {user} FROM EXTERNAL PROVIDER;"
    yield f"GRANT {', '.join(needs.database_rights)} TO {user};"
    yield "-- It can grant only what it controls: this schema, or with db_owner everything."
    yield f"GRANT CONTROL ON SCHEMA::dbo TO {user};"
    yield "```"
    yield ""
    yield "`holdfast doctor --ask-sql SERVER/DATABASE` tells whether that is enough."


def _in_words(needs: Needs) -> Iterator[str]:
    for name in needs.graph:
        yield f"Microsoft Graph, application permission {name}"
    if needs.management_application:
        yield (
            "registration as Power Platform management application: this is the power of a Power Platform administrator in"
            " every environment, and there is no smaller one; holdfast only reads with it as reader"
        )
    for name in needs.environment_roles:
        yield f"an application user with the security role {name} in each environment"
    yield from _rights(needs)
    yield from needs.others


def _of_a_person(needs: Needs) -> Iterator[str]:
    for name in needs.graph:
        yield f"Microsoft Graph, delegated permission {name}"
    if needs.management_application or (needs.is_for_a_person and needs.administrator):
        yield "whoever signs in: the role Power Platform Administrator (or Dynamics 365 or Global Administrator)"
    for name in needs.environment_roles:
        yield f"whoever signs in: the security role {name} or a wider one in each environment"
    yield from _rights(needs)


def _rights(needs: Needs) -> Iterator[str]:
    if needs.database_rights:
        yield (
            f"in each database that flows use: a user with {', '.join(needs.database_rights)} and CONTROL on what it is to grant;"
            " db_owner has them all"
        )


def _after(target: Target, needs: Needs, credential: str) -> list[str]:
    lines = {
        "secret": ['client_id = "…"', f'secret = "{target.store}:{target.secret_name(needs.role)}"'],
        "certificate": ['client_id = "…"', f'certificate = "{target.pem_name(needs.role)}"'],
        "federated_token_file": ['client_id = "…"', 'federated_token_file = "…"'],
        "managed_identity": ['# client_id = "…"   only of a user-assigned one', "managed_identity = true"],
        "az": ["az = true"],
        "sign_in": ['client_id = "…"', "sign_in = true"],
    }[credential]
    table = f"[tenants.{target.name}.{needs.role.value}]"
    return ["Then in the settings:", "", "```toml", table, *lines, "```"]
