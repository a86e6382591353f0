"""Tokens, passwords, accounts and the policies that they meet."""

from __future__ import annotations

from typing import Final

from holdfast.reading.wordings.hints.pair import FAILS, GONE, NOT, WRONG, Pair, clear, loose

SIGN_INS: Final[tuple[Pair, ...]] = (
    # tokens and sign-ins
    clear(
        "a token past its time",
        "token_inactive session_revoked bad_credentials",
        "token tokens grant assertion ticket accesstoken refreshtoken",
        "expired expires expiry lapsed stale inactiv* unused idle outdated",
        0.65,
    ),
    clear(
        "credentials past their time",
        "token_inactive password_expired bad_credentials",
        "credentials creds",
        "expired expires expiry lapsed stale outdated",
        0.6,
    ),
    clear(
        "a session past its time",
        "token_inactive signin_frequency session_revoked",
        "session sign-in sign login",
        "expired lapsed stale",
        0.55,
    ),
    clear(
        "a sign-in that nobody used",
        "token_inactive",
        "authorization authorisation grant sign-in connection",
        "lapsed inactivity unused idle dormant",
        0.65,
    ),
    clear(
        "a sign-in that is asked for regularly",
        "signin_frequency token_inactive",
        "sign sign-in signin login reauthenticat* session",
        "every hours frequency periodic* lifetime maximum over",
        0.6,
        "every frequency periodically lifetime policy organization organisation",
    ),
    clear(
        "a token taken back",
        "session_revoked password_changed",
        "token tokens session sessions grant sign sign-in access accesstoken refreshtoken",
        "revoked invalidated revocation revoke revoking",
        0.65,
    ),
    loose(
        "a session that was ended",
        "session_revoked password_changed token_inactive",
        "session sessions signed",
        "ended out terminated invalidated",
        0.5,
        "administrator admin user sign signed token browser",
    ),
    clear(
        "a request without a token",
        "bad_credentials token_inactive",
        "authentication authorization bearer",
        "token tokens header",
        0.6,
        "missing absent without lacks required",
    ),
    loose(
        "a token that is not accepted",
        "bad_credentials token_audience_or_tenant_wrong token_inactive",
        "token tokens jwt bearer accesstoken",
        f"valid* pars* malformed missing unreadable corrupt* empty null {WRONG} {FAILS}",
        0.5,
    ),
    loose(
        "a token that is not got",
        "bad_credentials token_inactive service_transient",
        "token tokens accesstoken",
        "acquir* obtain* retriev* fetch* getting refresh* issu* waiting exchang*",
        0.5,
    ),
    loose(
        "an account that the client does not keep",
        "token_inactive bad_credentials session_revoked",
        "cache cached keychain silent silently hint",
        "account token tokens user login refresh",
        0.5,
    ),
    loose(
        "somebody has to sign in",
        "token_inactive mfa_required session_revoked bad_credentials",
        "sign login log logged sign-in signin re-enter reauthenticat* interactive* interaction prompt",
        "again interaction interactive* require* please must explicitly expired back needed need needs run",
        0.45,
    ),
    loose(
        "a login that SQL Server refuses",
        "sql_login_failed_other bad_credentials sql_user_missing",
        "login logins logging logon log kerberos sspi gssapi ntlm krb5 authenticat* principal acquirecredentialshandle"
        " initializesecuritycontext gss_init_sec_context",
        f"{FAILS} {WRONG} untrusted trusted",
        0.6,
        "sql sqlserver sqlclient mssql tds database odbc jdbc spn kinit acquirecredentialshandle initializesecuritycontext",
    ),
    loose(
        "a sign-in that fails",
        "bad_credentials session_revoked role_or_assignment_missing",
        "authenticat* credential* creds login logon logging sign sign-in signin kerberos ntlm impersonat*",
        f"requires required needed {FAILS} {WRONG}",
        0.5,
    ),
    loose(
        "an identity that is not there",
        "token_audience_or_tenant_wrong app_disabled_or_missing bad_credentials",
        "identity identities msi managedidentitycredential workloadidentitycredential",
        f"assigned system-assigned user-assigned missing found exist exists failed unavailable {NOT}",
        0.45,
        "managed system assigned system-assigned user-assigned msi managedidentitycredential workloadidentitycredential",
    ),
    # passwords, keys
    clear(
        "a password past its time",
        "password_expired",
        "password passwords passphrase kennwort",
        "expired expire expires expiry old older",
        0.75,
    ),
    clear(
        "a password that was changed",
        "password_changed bad_credentials",
        "password passwords",
        "changed recently reset rotated",
        0.6,
    ),
    clear(
        "a password that must change",
        "password_expired password_changed",
        "password",
        "change forced replaced renewed",
        0.55,
    ),
    clear(
        "a password that is wrong",
        "bad_credentials",
        "password passwords username usernames passcode apikey passphrase pin",
        f"{WRONG} reject* denied missing unknown not accepted match fail* required",
        0.65,
    ),
    clear(
        "credentials that are wrong",
        "bad_credentials",
        "credential* creds login logon key keys subscription-key",
        f"{WRONG} rejected missing supplied provided stored check update",
        0.6,
        "credential credentials creds login logon api access account",
    ),
    # accounts
    clear(
        "an account that is off",
        "account_disabled",
        "account accounts user owner login identity accountenabled",
        "disabled deactivated inactive suspended",
        0.75,
    ),
    clear(
        "an account that is locked",
        "account_locked bad_credentials",
        "account user login accounts",
        "locked lockout locked_out abuse",
        0.75,
    ),
    clear(
        "an account that is gone",
        "account_deleted",
        "account user owner creator employee maker upn guest",
        f"{GONE} exist exists unknown",
        0.65,
    ),
    loose(
        "an account that is not found",
        "account_deleted token_audience_or_tenant_wrong",
        "user account owner guest",
        "found",
        0.5,
        "not no cannot",
    ),
    # policies
    clear(
        "a second factor",
        "mfa_required",
        "mfa multi-factor multifactor factor 2fa otp authenticator two-step totp",
        "required require* requirement authenticat* must need* verify enforce* enrol* register* additional complete* phone"
        " app code challenge expired interrupted prompt set setup second two fail* denied",
        0.75,
    ),
    clear(
        "a verification besides the password",
        "mfa_required",
        "verification verify",
        "additional code phone identity step",
        0.65,
        "sign sign-in signin login account user",
    ),
    clear(
        "a device that is not accepted",
        "device_not_compliant conditional_access_blocked",
        "device devices computer laptop machine",
        "managed compliant compliance joined registered enroll* enrol* unmanaged noncompliant intune mdm domain-joined",
    ),
    clear(
        "a risk",
        "conditional_access_blocked",
        "risk risky riskstate suspicious",
        "user sign blocked high policy login signin account sign-in",
        0.65,
    ),
    clear(
        "a place or a policy of access",
        "conditional_access_blocked",
        "sign sign-in sign-ins signin login signing",
        "location* country region policy policies conditional blocked untrusted permitted restrict* criteria",
        0.6,
    ),
    clear("a policy of access", "conditional_access_blocked", "conditional", "access policy policies", 0.6),
    clear(
        "a policy that keeps out",
        "conditional_access_blocked device_not_compliant",
        "policy policies",
        "prevent* blocking forbids",
        0.55,
        "access sign sign-in signin security",
    ),
    clear(
        "terms to accept", "terms_of_use", "terms", "accept accepted accepting use agree agreed consent", 0.75
    ),
    clear(
        "a consent that lacks",
        "consent_missing",
        "consent consented approval preauthori*",
        "required require* missing granted grant admin admin's administrator* user given needed need needs not"
        " before",
        0.7,
    ),
    clear(
        "permissions that nobody approved",
        "consent_missing",
        "approve approved approval",
        "permissions permission scopes application app apps",
        0.65,
        "permissions permission scopes",
    ),
    clear(
        "a policy on data",
        "dlp_blocked",
        "connector connectors apis dlp",
        "policy policies group groups blocked restrict* business prohibited together placed violat*",
    ),
    clear(
        "a policy that is broken",
        "dlp_blocked conditional_access_blocked",
        "policy apipolicy dlp",
        "violation violations violated violates",
    ),
)
