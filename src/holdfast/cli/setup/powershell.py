"""Lines for PowerShell with Microsoft.Graph and Microsoft.PowerApps.Administration.PowerShell."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.cli.setup.needs import ENDPOINTS, GRAPH, MACHINE, SUBJECT, Needs, Target


def powershell(target: Target, needs: Needs, credential: str = "secret") -> Iterator[str]:
    """From nothing to a client id; `credential` as for the Azure CLI."""
    tools, name = ENDPOINTS[target.cloud], target.app_name(needs.role)
    grants = "DelegatedPermissionGrant" if credential == "sign_in" else "AppRoleAssignment"
    yield (
        f"Connect-MgGraph -Environment {tools.graph} -TenantId {target.tenant_id}"
        f" -Scopes Application.ReadWrite.All, {grants}.ReadWrite.All"
    )
    if credential == "managed_identity":
        yield f'$sp = Get-MgServicePrincipal -ServicePrincipalId "{MACHINE}"'
    else:
        public = ' -IsFallbackPublicClient -PublicClient @{ redirectUris = @("http://localhost") }'
        yield (
            f'$app = New-MgApplication -DisplayName "{name}" -SignInAudience AzureADMyOrg'
            f"{public if credential == 'sign_in' else ''}"
        )
        yield "$sp = New-MgServicePrincipal -AppId $app.AppId"
    if credential == "sign_in":
        yield from _delegated(needs)
    else:
        yield from _roles(needs)
        yield from _credential(target, needs, credential)
        yield from _power_platform(target, needs)
    yield '"client_id = $($sp.AppId)"'


def _roles(needs: Needs) -> Iterator[str]:
    if not needs.graph:
        return
    names = ", ".join(f'"{name}"' for name in needs.graph)
    yield f"$graph = Get-MgServicePrincipal -Filter \"appId eq '{GRAPH}'\""
    yield f"foreach ($role in $graph.AppRoles | Where-Object Value -in {names}) {{"
    yield (
        "  New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id -PrincipalId $sp.Id"
        " -ResourceId $graph.Id -AppRoleId $role.Id"
    )
    yield "}"


def _delegated(needs: Needs) -> Iterator[str]:
    wanted: dict[str, list[str]] = {}
    for api, name in (*((GRAPH, name) for name in needs.graph), *needs.delegated):
        wanted.setdefault(api, []).append(name)
    for api, names in wanted.items():
        yield f"$api = Get-MgServicePrincipal -Filter \"appId eq '{api}'\""
        yield (
            "New-MgOauth2PermissionGrant -ClientId $sp.Id -ConsentType AllPrincipals -ResourceId $api.Id"
            f' -Scope "{" ".join(names)}"'
        )


def _credential(target: Target, needs: Needs, credential: str) -> Iterator[str]:
    name = target.app_name(needs.role)
    if credential == "secret":
        yield (
            f'$secret = Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{{ displayName = "{name}";'
            " endDateTime = (Get-Date).AddYears(1) }"
        )
        yield f"$secret.SecretText | holdfast secret set {target.secret_name(needs.role)}"
    elif credential == "certificate":
        pem = target.pem_name(needs.role)
        yield "# PowerShell 7.3 or newer. The file holds the private key: only you should be able to read it."
        yield "$rsa = [System.Security.Cryptography.RSA]::Create(3072)"
        yield (
            "$asked = [System.Security.Cryptography.X509Certificates.CertificateRequest]::new("
            f'"CN={name}", $rsa, [System.Security.Cryptography.HashAlgorithmName]::SHA256,'
            " [System.Security.Cryptography.RSASignaturePadding]::Pkcs1)"
        )
        yield "$cert = $asked.CreateSelfSigned([DateTimeOffset]::UtcNow, [DateTimeOffset]::UtcNow.AddYears(1))"
        yield (
            'Update-MgApplication -ApplicationId $app.Id -KeyCredentials @(@{ type = "AsymmetricX509Cert"; usage = "Verify";'
            f' key = $cert.RawData; displayName = "{name}" }})'
        )
        yield f"$rsa.ExportPkcs8PrivateKeyPem(), $cert.ExportCertificatePem() | Set-Content {pem}"
    elif credential == "federated_token_file":
        yield "# ISSUER and SUBJECT as the token of the file states them: iss and sub."
        yield (
            "New-MgApplicationFederatedIdentityCredential -ApplicationId $app.Id -Name holdfast -Issuer ISSUER"
            f' -Subject "{SUBJECT}" -Audiences "{ENDPOINTS[target.cloud].exchange}"'
        )


def _power_platform(target: Target, needs: Needs) -> Iterator[str]:
    tools = ENDPOINTS[target.cloud]
    if needs.management_application:
        yield f"Add-PowerAppsAccount -Endpoint {tools.powerapps}"
        yield "New-PowerAppManagementApp -ApplicationId $sp.AppId"
    if needs.environment_roles:
        yield f"pac auth create --cloud {tools.pac} --tenant {target.tenant_id}"
    for name in needs.environment_roles:
        yield f'pac admin assign-user --environment ENVIRONMENT_URL --user $sp.AppId --role "{name}" --application-user'
