"""The same in a browser."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.cli.setup.needs import API_NAMES, ENDPOINTS, Needs, Target


def portal(target: Target, needs: Needs, credential: str = "secret") -> Iterator[str]:
    """Steps in the portals; `credential` as for the Azure CLI."""
    if credential == "managed_identity":
        yield "No portal gives a managed identity permissions of Microsoft Graph: use one of the two ways above."
    elif credential == "sign_in":
        yield from _public_client(target, needs)
    else:
        yield from _application(target, needs, credential)
    if credential == "sign_in":
        return
    if needs.management_application:
        yield "The registration as management application has no page in a portal: use the PowerShell line above."
    for name in needs.environment_roles:
        yield (
            "Power Platform admin center → the environment → Settings → Users + permissions → Application users →"
            f" New app user: this application, security role {name}."
        )


def _application(target: Target, needs: Needs, credential: str) -> Iterator[str]:
    yield (
        f'{ENDPOINTS[target.cloud].portal} → App registrations → New registration: "{target.app_name(needs.role)}", this directory'
        " only; note the application (client) id."
    )
    if needs.graph:
        yield (
            f"API permissions → Add → Microsoft Graph → Application permissions: {', '.join(needs.graph)};"
            " then Grant admin consent."
        )
    if credential == "secret":
        yield (
            "Certificates & secrets → New client secret; copy its Value (not its Secret ID) once and give it to"
            f" `holdfast secret set {target.secret_name(needs.role)}`."
        )
    elif credential == "certificate":
        yield (
            "Certificates & secrets → Certificates → Upload certificate: the public part of a certificate that you made;"
            f" its private key and the certificate, both as PEM, in one file: {target.pem_name(needs.role)}."
        )
    else:
        yield "Certificates & secrets → Federated credentials → Add credential: whoever issues the token of the file."


def _public_client(target: Target, needs: Needs) -> Iterator[str]:
    yield (
        f'{ENDPOINTS[target.cloud].portal} → App registrations → New registration: "{target.app_name(needs.role)}", this directory'
        " only, redirect URI: Public client/native, http://localhost; note the application (client) id."
    )
    yield "Authentication → Allow public client flows: Yes."
    for api, name in needs.delegated:
        yield f"API permissions → Add → APIs my organization uses → {API_NAMES[api]} → Delegated permissions: {name}."
    if needs.graph:
        yield f"API permissions → Add → Microsoft Graph → Delegated permissions: {', '.join(needs.graph)}."
    yield "API permissions → Grant admin consent."
