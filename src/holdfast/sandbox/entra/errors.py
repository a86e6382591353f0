"""What the token endpoint says when it refuses: codes, texts and the body around them.

Texts and fields are the recorded ones (``fixtures/entra``: token-error-*.json, recorded-messages.json) or the public
reference's (entra-docs reference-error-codes, f-bader/EntraID-ErrorCodes) where nothing was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from holdfast.sandbox.world import World


class TokenError(NamedTuple):
    """A refusal as the endpoint words it, before it is stamped.

    Attributes:
        suberror: None where none was recorded for the code.
        has_uri: the lookup page knows the code, so that ``error_uri`` is given.
    """

    code: int
    error: str
    text: str
    status: int = 400
    suberror: str | None = None
    claims: str | None = None
    has_uri: bool = True


def precise(instant: datetime) -> str:
    """An instant inside a text: seven fractional digits and Z."""
    return f"{instant:%Y-%m-%dT%H:%M:%S.%f}0Z"


def stamp(instant: datetime) -> str:
    """An instant in a body's ``timestamp``."""
    return f"{instant:%Y-%m-%d %H:%M:%SZ}"


def limit_text(limit: timedelta) -> str:
    """A length as D.HH:MM:SS."""
    hours, seconds = divmod(limit.seconds, 3600)
    return f"{limit.days}.{hours:02}:{seconds // 60:02}:{seconds % 60:02}"


def body(
    world: World, error: TokenError, now: datetime, correlation_id: str, trace_id: str | None = None
) -> dict[str, Any]:
    """The stamped JSON body. Separators are CRLF in about half of the bodies and blanks in the others (recorded)."""
    trace_id = trace_id or world.fresh("trace")
    blank = "\r\n" if world.draw("separator", trace_id) < 0.5 else " "
    parts = (
        f"AADSTS{error.code}: {error.text}",
        f"Trace ID: {trace_id}",
        f"Correlation ID: {correlation_id}",
        f"Timestamp: {stamp(now)}",
    )
    told: dict[str, Any] = {
        "error": error.error,
        "error_description": blank.join(parts),
        "error_codes": [error.code],
        "timestamp": stamp(now),
        "trace_id": trace_id,
        "correlation_id": correlation_id,
    }
    if error.has_uri:
        told["error_uri"] = f"https://login.microsoftonline.com/error?code={error.code}"
    if error.suberror:
        told["suberror"] = error.suberror
    if error.claims:
        told["claims"] = error.claims
    return told


def grant(code: int, text: str, suberror: str | None = None, claims: str | None = None) -> TokenError:
    """An ``invalid_grant``."""
    return TokenError(code, "invalid_grant", text, suberror=suberror, claims=claims)


def client(code: int, text: str) -> TokenError:
    """An ``invalid_client``: the one family that answers 401 (recorded)."""
    return TokenError(code, "invalid_client", text, status=401)


def request(code: int, text: str, error: str = "invalid_request") -> TokenError:
    """Something wrong with the question itself."""
    return TokenError(code, error, text)


def inactive(issued_at: datetime, limit: timedelta) -> TokenError:
    """The token lay unused too long. The text prints the limit, not the time it lay (recorded, mspnp#9)."""
    return grant(
        700082,
        "The refresh token has expired due to inactivity. The token was issued on"
        f" {precise(issued_at)} and was inactive for {limit_text(limit)}.",
        suberror="bad_token",
    )


def spa_over(issued_at: datetime) -> TokenError:
    """The fixed day of a single-page app's token is over."""
    return grant(
        700084,
        "The refresh token was issued to a single page app (SPA), and therefore has a fixed, limited lifetime of"
        " 1.00:00:00, which can't be extended. It is now expired and a new sign in request must be sent by the SPA"
        f" to the sign in page. The token was issued on {precise(issued_at)}.",
        suberror="bad_token",
    )


def revoked(signed_in_at: datetime, valid_from: datetime) -> TokenError:
    """The sign-in is older than the user's TokensValidFrom date."""
    return grant(
        50173,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have"
        f" changed or reset their password. The grant was issued on '{precise(signed_in_at)}' and the TokensValidFrom"
        f" date (before which tokens are not valid) for this user is '{precise(valid_from.replace(microsecond=0))}'.",
    )


def malformed_token() -> TokenError:
    """Not one of this tenant's tokens."""
    return grant(
        70000, "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
    )


def other_client() -> TokenError:
    """A token of another application."""
    return grant(700007, "The grant was issued for a different client id.")


def disabled_account() -> TokenError:
    """The account is disabled."""
    return grant(50057, "The user account is disabled.")


def deleted_account(tenant: str) -> TokenError:
    """The account lies among the deleted ones."""
    return grant(
        500341,
        f"The user account {{EmailHidden}} has been deleted from the {tenant} directory. To sign into this"
        " application, the account must be added to the directory.",
    )


def no_account(tenant: str) -> TokenError:
    """The account is gone for good."""
    return grant(
        50034,
        f"The user account {{EmailHidden}} does not exist in the {tenant} directory. To sign into this application,"
        " the account must be added to the directory.",
    )


def no_consent(client_id: str, name: str) -> TokenError:
    """Nobody has consented, or the consent was taken back."""
    return grant(
        65001,
        f"The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'."
        " Send an interactive authorization request for this user and resource.",
        suberror="consent_required",
    )


def not_assigned(client_id: str, name: str, who: str) -> TokenError:
    """The application demands assignment, and this person or application has none."""
    return request(
        50105,
        f"Your administrator has configured the application {name} ('{client_id}') to block users unless they are"
        f" specifically granted ('assigned') access to the application. The signed in user '{who}' is blocked because"
        " they are not a direct member of a group with access, nor had access directly assigned by an administrator."
        " Please contact your administrator to assign access to this application.",
        "invalid_grant",
    )


def role_not_assigned(client_id: str, name: str, who: str) -> TokenError:
    """The same for an application that asks for itself."""
    return request(
        501051,
        f"Application '{who}' is not assigned to a role for the application '{client_id}'({name}).",
        "invalid_grant",
    )


def no_app(client_id: str, tenant: str) -> TokenError:
    """The application is not in the tenant."""
    return request(
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the"
        " application has not been installed by the administrator of the tenant or consented to by any user in the"
        " tenant. You may have sent your authentication request to the wrong tenant.",
        "unauthorized_client",
    )


def disabled_app(client_id: str, name: str) -> TokenError:
    """The application's service principal is disabled."""
    return request(7000112, f"Application '{client_id}'({name}) is disabled.", "unauthorized_client")


def disabled_resource(client_id: str) -> TokenError:
    """The resource's service principal is disabled."""
    return request(
        500014,
        f"The service principal for resource '{client_id}' is disabled. This indicate that a subscription within the"
        " tenant has lapsed, or that the administrator for this tenant has disabled the application, preventing tokens"
        " from being issued for it.",
        "invalid_resource",
    )


def wrong_secret(client_id: str) -> TokenError:
    """No secret of the application has this text."""
    return client(
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not"
        f" the client secret ID, for a secret added to app '{client_id}'.",
    )


def expired_secret(client_id: str) -> TokenError:
    """The secret's text is right and its time is over."""
    return client(
        7000222,
        f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new keys"
        " for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security:"
        " https://aka.ms/certCreds.",
    )


def no_credential() -> TokenError:
    """A confidential client that sent nothing."""
    return client(
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    )


def credential_of_public_client() -> TokenError:
    """A public client that sent a secret."""
    return client(
        700025, "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    )


def unregistered_certificate(thumbprint: str, reason: str) -> TokenError:
    """The certificate that signed the assertion is not one of the application's, or its time is over."""
    return client(
        700027,
        "The certificate with identifier used to sign the client assertion is not registered on application."
        f" [Reason - {reason}, Thumbprint of key used by client: '{thumbprint.upper()}', Please visit the Azure"
        " Portal, Graph Explorer or directly use MS Graph to see configured keys for the app.]",
    )


def bad_signature() -> TokenError:
    """The assertion was not signed by the certificate that it names."""
    return client(700027, "Client assertion failed signature validation.")


def assertion_time(now: datetime, starts: datetime, ends: datetime) -> TokenError:
    """The assertion is outside its own time."""
    return client(
        700024,
        f"Client assertion is not within its valid time range. Current time: {precise(now)}, assertion valid from"
        f" {precise(starts)}, expiry time of assertion {precise(ends)}. Review the documentation at"
        " https://learn.microsoft.com/entra/identity-platform/certificate-credentials",
    )


def assertion_audience(audience: str) -> TokenError:
    """The assertion is for somebody else."""
    return client(
        700023, f"Client assertion audience claim does not match Realm issuer. Audience: '{audience}'."
    )


def assertion_client() -> TokenError:
    """The assertion speaks for another application."""
    return client(700021, "Client assertion application identifier doesn't match 'client_id' parameter.")


def malformed_assertion() -> TokenError:
    """Not a JWT, or one without a key's thumbprint."""
    return client(50027, "JWT token is invalid or malformed.")


def no_federation(client_id: str) -> TokenError:
    """An assertion of another issuer, for an application that trusts none."""
    return client(
        7000226, f"The client '{client_id}' doesn't have any configured federated identity credentials."
    )


def no_matching_federation(issuer: str, subject: str, audience: str) -> TokenError:
    """An assertion of another issuer that no federated credential of the application names."""
    return client(
        7000227,
        "No matching federated identity record found for presented assertion."
        f" Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'.",
    )


def no_tenant(name: str) -> TokenError:
    """The tenant in the address does not exist here."""
    return request(
        90002,
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct"
        " cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for"
        " the tenant.",
    )


def common_endpoint() -> TokenError:
    """A grant that needs a tenant of its own."""
    return request(
        9001023,
        "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or"
        " tenant-specific endpoint.",
    )


def missing_parameter(name: str) -> TokenError:
    """A field that every such request has."""
    return request(900144, f"The request body must contain the following parameter: '{name}'.")


def unsupported_grant(name: str) -> TokenError:
    """A grant type that the endpoint, or the sandbox, does not have."""
    return request(70003, f"The app requested an unsupported grant type '{name}'.", "unsupported_grant_type")


def no_resource(name: str, tenant: str) -> TokenError:
    """The resource is not in the tenant."""
    return request(
        500011,
        f"The resource principal named {name} was not found in the tenant named {tenant}. This can happen if the"
        " application has not been installed by the administrator of the tenant or consented to by any user in the"
        " tenant. You might have sent your authentication request to the wrong tenant.",
        "invalid_resource",
    )


def bad_scope(scope: str) -> TokenError:
    """A scope that cannot be read."""
    return request(
        70011,
        f"The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid.",
        "invalid_scope",
    )


def scope_without_default(scope: str) -> TokenError:
    """An application asks for itself, so it takes what it was granted: ``/.default``."""
    return request(
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with"
        " /.default suffixed to the resource identifier (application ID URI).",
        "invalid_scope",
    )


def wrong_password() -> TokenError:
    """The name is right or wrong, the password does not fit."""
    return grant(50126, "Error validating credentials due to invalid username or password.")


def locked_account() -> TokenError:
    """Smart lockout: too many wrong passwords."""
    return grant(
        50053,
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    )


def expired_password() -> TokenError:
    """The password must be changed before a password sign-in."""
    return grant(50055, "The password is expired.", suberror="user_password_expired")


def bad_redirect(uri: str, client_id: str) -> TokenError:
    """The answer would go to an address that nobody registered."""
    return request(
        50011,
        f"The redirect URI '{uri}' specified in the request does not match the redirect URIs configured for the"
        f" application '{client_id}'.",
    )


def not_signed_in() -> TokenError:
    """No session, and no page may be shown."""
    return request(50058, "A silent sign-in request was sent but no user is signed in.", "login_required")


def declined() -> TokenError:
    """The person said no."""
    return request(65004, "User declined to consent to access the app.", "access_denied")


def code_used() -> TokenError:
    """An authorization code comes a second time."""
    return grant(
        54005,
        "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh"
        " token.",
    )


def code_expired() -> TokenError:
    """An authorization code comes too late."""
    return grant(
        70008,
        "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive"
        " authorization request for this user and resource.",
    )


def other_redirect(shown: str, asked: str) -> TokenError:
    """The code was asked for another address."""
    return grant(
        500112,
        f"The reply address '{shown}' does not match the reply address '{asked}' provided when requesting Authorization"
        " code.",
    )


def wrong_verifier() -> TokenError:
    """PKCE does not fit."""
    return grant(
        501481, "The Code_Verifier does not match the code_challenge supplied in the authorization request."
    )


def mfa_needed(resource_id: str, policy_ids: Iterable[str]) -> TokenError:
    """A second factor is demanded and the sign-in had none (recorded with claims and suberror)."""
    return grant(
        50076,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must"
        f" use multi-factor authentication to access '{resource_id}'.",
        suberror="basic_action",
        claims=claims_for_policies(policy_ids),
    )


def mfa_registration_needed(resource_id: str) -> TokenError:
    """A second factor is demanded and the person has none."""
    return grant(
        50079,
        "Due to a configuration change made by your administrator, or because you moved to a new location, you must"
        f" enroll in multi-factor authentication to access '{resource_id}'.",
        suberror="basic_action",
    )


def mfa_expired(resource_id: str) -> TokenError:
    """The second factor was given too long ago."""
    return grant(
        50078,
        "Presented multi-factor authentication has expired due to policies configured by your administrator, you must"
        f" refresh your multi-factor authentication to access '{resource_id}'.",
        suberror="basic_action",
    )


def blocked(policy_ids: Iterable[str]) -> TokenError:
    """A policy blocks (text recorded; suberror and claims are what MSAL expects of such answers)."""
    return grant(
        53003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
        suberror="message_only",
        claims=claims_for_policies(policy_ids),
    )


def device_not_compliant() -> TokenError:
    """A policy wants a compliant device."""
    return grant(
        53000,
        "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and"
        " the device is not compliant. The user must enroll their device with an approved MDM provider like Intune.",
        suberror="message_only",
    )


def device_not_joined() -> TokenError:
    """A policy wants a domain-joined device."""
    return grant(
        53001,
        "Device is not in required device state: domain_joined. Conditional Access policy requires a domain joined"
        " device, and the device is not domain joined.",
        suberror="message_only",
    )


def app_not_approved() -> TokenError:
    """A policy wants an approved client app."""
    return grant(
        53002,
        "The app used is not an approved app for Conditional Access. User needs to use one of the apps from the list of"
        " approved applications to use in order to get access.",
        suberror="protection_policy_required",
    )


def app_not_protected() -> TokenError:
    """A policy wants an app with a protection policy."""
    return grant(
        53009,
        "Application needs to enforce Intune protection policies.",
        suberror="protection_policy_required",
    )


def terms_not_accepted() -> TokenError:
    """Terms of use wait for the person, who is not there."""
    return grant(
        50158,
        "External security challenge not satisfied. User will be redirected to another page or authentication provider"
        " to satisfy additional authentication challenges.",
        suberror="basic_action",
    )


def signed_in_too_long_ago(signed_in_at: datetime, limit: timedelta) -> TokenError:
    """Sign-in frequency; the limit is told in seconds (recorded)."""
    return grant(
        70043,
        "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access. The token was"
        f" issued on {precise(signed_in_at)} and the maximum allowed lifetime for this request is"
        f" {int(limit.total_seconds())}.",
        suberror="token_expired",
    )._replace(has_uri=False)


def claims_for_policies(policy_ids: Iterable[str]) -> str:
    """The claims text that names the policies which were not satisfied (recorded with 50076)."""
    wanted = {"access_token": {"capolids": {"essential": True, "values": list(policy_ids)}}}
    return json.dumps(wanted, separators=(",", ":"))
