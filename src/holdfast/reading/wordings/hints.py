"""Which two words near each other hint at which state: a thing, and what is wrong with it.

A word that ends in `*` stands for every word that begins so. Written from what the words mean and from the message
catalogues of mssql-jdbc, Microsoft.Data.SqlClient and MSAL.NET, read 2026-11-24, so that a sentence nobody listed is
read as well as one that somebody did.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import HINT, Meaning
from holdfast.reading.wordings import Wording

CLEAR_PAIR, LOOSE_PAIR, GRAMMAR = 3, 2, 1
"""Both words name the matter; one of them is said of many things; a program complains of what it was given. Where
pairs of several of these are found, only the highest speaks."""


class Pair(NamedTuple):
    """A state by its words: one of `things` and, in the same sentence, one of `states`.

    Attributes:
        about: words of which the text must hold one anywhere; none where the pair stands for itself.
    """

    wording: Wording
    rank: int
    things: frozenset[str]
    states: frozenset[str]
    about: frozenset[str]


_NOT: Final = (
    "not no cannot can't couldn't could without never isn't wasn't aren't don't doesn't didn't haven't hasn't"
)
_FAILS: Final = f"fail* unsuccess* unable refus* reject* denied deny denies error errors problem* trouble* issue issues {_NOT}"
_WRONG: Final = "incorrect* wrong invalid bad mismatch* unrecogni*"
_GONE: Final = "deleted removed gone nonexistent longer left purged"


def _pair(
    code: str, causes: str, weight: float, rank: int, things: str, states: str, about: str = ""
) -> Pair:
    meaning = Meaning(tuple(causes.split()), weight, HINT)
    return Pair(
        Wording(code, EvidenceKind.WORDING, meaning, ()),
        rank,
        frozenset(things.split()),
        frozenset(states.split()),
        frozenset(about.split()),
    )


def _clear(code: str, causes: str, things: str, states: str, weight: float = 0.7, about: str = "") -> Pair:
    return _pair(code, causes, weight, CLEAR_PAIR, things, states, about)


def _loose(code: str, causes: str, things: str, states: str, weight: float = 0.55, about: str = "") -> Pair:
    return _pair(code, causes, weight, LOOSE_PAIR, things, states, about)


PAIRS: Final = (
    # tokens and sign-ins
    _clear(
        "a token past its time",
        "token_inactive session_revoked bad_credentials",
        "token tokens grant assertion ticket accesstoken refreshtoken",
        "expired expires expiry lapsed stale inactiv* unused idle outdated",
        0.65,
    ),
    _clear(
        "a session past its time",
        "token_inactive signin_frequency session_revoked",
        "session sign-in sign login",
        "expired lapsed stale",
        0.55,
    ),
    _clear(
        "a sign-in that nobody used",
        "token_inactive",
        "authorization authorisation grant sign-in connection",
        "lapsed inactivity unused idle dormant",
        0.65,
    ),
    _clear(
        "a sign-in that is asked for regularly",
        "signin_frequency token_inactive",
        "sign sign-in signin login reauthenticat* session",
        "every hours frequency periodic* lifetime maximum over",
        0.6,
        "every frequency periodically lifetime policy organization organisation",
    ),
    _clear(
        "a token taken back",
        "session_revoked password_changed",
        "token tokens session sessions grant sign sign-in access accesstoken refreshtoken",
        "revoked invalidated revocation revoke revoking",
        0.65,
    ),
    _loose(
        "a session that was ended",
        "session_revoked password_changed token_inactive",
        "session sessions signed",
        "ended out terminated invalidated",
        0.5,
        "administrator admin user sign signed token browser",
    ),
    _loose(
        "a token that is not accepted",
        "bad_credentials token_audience_or_tenant_wrong token_inactive",
        "token tokens jwt bearer accesstoken",
        f"valid* pars* malformed missing unreadable corrupt* empty null {_WRONG} {_FAILS}",
        0.5,
    ),
    _loose(
        "a token that is not got",
        "bad_credentials token_inactive service_transient",
        "token tokens accesstoken",
        "acquir* obtain* retriev* fetch* getting refresh* issu* waiting exchang*",
        0.5,
    ),
    _loose(
        "an account that the client does not keep",
        "token_inactive bad_credentials session_revoked",
        "cache cached keychain silent silently hint",
        "account token tokens user login refresh",
        0.5,
    ),
    _loose(
        "somebody has to sign in",
        "token_inactive mfa_required session_revoked bad_credentials",
        "sign login log logged sign-in signin re-enter reauthenticat* interactive* interaction prompt",
        "again interaction interactive* require* please must explicitly expired back needed need needs run",
        0.45,
    ),
    _loose(
        "a login that SQL Server refuses",
        "sql_login_failed_other bad_credentials sql_user_missing",
        "login logins logging logon log kerberos sspi gssapi ntlm krb5 authenticat* principal acquirecredentialshandle"
        " initializesecuritycontext gss_init_sec_context",
        f"{_FAILS} {_WRONG} untrusted trusted",
        0.6,
        "sql sqlserver sqlclient mssql tds database odbc jdbc spn kinit acquirecredentialshandle initializesecuritycontext",
    ),
    _loose(
        "a sign-in that fails",
        "bad_credentials session_revoked role_or_assignment_missing",
        "authenticat* credential* creds login logon logging sign sign-in signin kerberos ntlm impersonat*",
        f"requires required needed {_FAILS} {_WRONG}",
        0.5,
    ),
    _loose(
        "an identity that is not there",
        "token_audience_or_tenant_wrong app_disabled_or_missing bad_credentials",
        "identity identities msi managedidentitycredential workloadidentitycredential",
        f"assigned system-assigned user-assigned missing found exist exists failed unavailable {_NOT}",
        0.45,
        "managed system assigned system-assigned user-assigned msi managedidentitycredential workloadidentitycredential",
    ),
    # passwords, keys
    _clear(
        "a password past its time",
        "password_expired",
        "password passwords passphrase kennwort",
        "expired expire expires expiry old older",
        0.75,
    ),
    _clear(
        "a password that was changed",
        "password_changed bad_credentials",
        "password passwords",
        "changed recently reset rotated",
        0.6,
    ),
    _clear(
        "a password that must change",
        "password_expired password_changed",
        "password",
        "change forced replaced renewed",
        0.55,
    ),
    _clear(
        "a password that is wrong",
        "bad_credentials",
        "password passwords username usernames passcode apikey passphrase pin",
        f"{_WRONG} reject* denied missing unknown not accepted match fail* required",
        0.65,
    ),
    _clear(
        "credentials that are wrong",
        "bad_credentials",
        "credential* creds login logon key keys subscription-key",
        f"{_WRONG} rejected missing supplied provided stored check update",
        0.6,
        "credential credentials creds login logon api access account",
    ),
    # accounts
    _clear(
        "an account that is off",
        "account_disabled",
        "account accounts user owner login identity accountenabled",
        "disabled deactivated inactive suspended",
        0.75,
    ),
    _clear(
        "an account that is locked",
        "account_locked bad_credentials",
        "account user login accounts",
        "locked lockout locked_out abuse",
        0.75,
    ),
    _clear(
        "an account that is gone",
        "account_deleted",
        "account user owner creator employee maker upn guest",
        f"{_GONE} exist exists unknown",
        0.65,
    ),
    _loose(
        "an account that is not found",
        "account_deleted token_audience_or_tenant_wrong",
        "user account owner guest",
        "found",
        0.5,
        "not no cannot",
    ),
    # policies
    _clear(
        "a second factor",
        "mfa_required",
        "mfa multi-factor multifactor factor 2fa otp authenticator two-step totp",
        "required require* requirement authenticat* must need* verify enforce* enrol* register* additional complete* phone"
        " app code challenge expired interrupted prompt set setup second two fail* denied",
        0.75,
    ),
    _clear(
        "a verification besides the password",
        "mfa_required",
        "verification verify",
        "additional code phone identity step",
        0.65,
        "sign sign-in signin login account user",
    ),
    _clear(
        "a device that is not accepted",
        "device_not_compliant conditional_access_blocked",
        "device devices computer laptop machine",
        "managed compliant compliance joined registered enroll* enrol* unmanaged noncompliant intune mdm domain-joined",
    ),
    _clear(
        "a risk",
        "conditional_access_blocked",
        "risk risky riskstate suspicious",
        "user sign blocked high policy login signin account sign-in",
        0.65,
    ),
    _clear(
        "a place or a policy of access",
        "conditional_access_blocked",
        "sign sign-in sign-ins signin login signing",
        "location* country region policy policies conditional blocked untrusted permitted restrict* criteria",
        0.6,
    ),
    _clear("a policy of access", "conditional_access_blocked", "conditional", "access policy policies", 0.6),
    _clear(
        "a policy that keeps out",
        "conditional_access_blocked device_not_compliant",
        "policy policies",
        "prevent* blocking forbids",
        0.55,
        "access sign sign-in signin security",
    ),
    _clear(
        "terms to accept", "terms_of_use", "terms", "accept accepted accepting use agree agreed consent", 0.75
    ),
    _clear(
        "a consent that lacks",
        "consent_missing",
        "consent consented approval preauthori*",
        "required require* missing granted grant admin admin's administrator* user given needed need needs not"
        " before",
        0.7,
    ),
    _clear(
        "permissions that nobody approved",
        "consent_missing",
        "approve approved approval",
        "permissions permission scopes application app apps",
        0.65,
        "permissions permission scopes",
    ),
    _clear(
        "a policy on data",
        "dlp_blocked",
        "connector connectors apis dlp",
        "policy policies group groups blocked restrict* business prohibited together placed violat*",
    ),
    _clear(
        "a policy that is broken",
        "dlp_blocked conditional_access_blocked",
        "policy apipolicy dlp",
        "violation violations violated violates",
    ),
    # applications
    _clear(
        "a secret past its time",
        "secret_expired",
        "secret secrets clientsecret client_secret",
        "expired expire expires expiry past passed ended outdated",
        0.75,
    ),
    _clear(
        "a secret that is wrong",
        "secret_invalid",
        "secret secrets clientsecret client_secret",
        f"{_WRONG} missing empty match rejected id identifier value",
        0.75,
    ),
    _clear(
        "a principal past its time",
        "secret_expired secret_invalid",
        "principal",
        "expired expiry expire expires",
        0.55,
    ),
    _clear(
        "a certificate of a server",
        "network_or_tls certificate_invalid",
        "certificate cert certificates ssl tls handshake x509 truststore",
        "trust* untrusted verif* chain self self-signed hostname host handshake secure channel negotiat* cipher* protocol"
        " server name names match mismatch datasource hostnameincertificate enforced initializ* library authority root support*",
        0.65,
    ),
    _clear(
        "a certificate",
        "certificate_invalid network_or_tls",
        "certificate cert thumbprint pfx keystore assertion",
        "signing sign signed load private password expired invalid found missing revoked store signature upload* registered",
        0.6,
    ),
    _clear(
        "an application that is off or gone",
        "app_disabled_or_missing connection_missing_or_unshared",
        "application applications app serviceprincipal principal connector enterprise clientid client_id",
        f"disabled {_GONE} uninstalled unregistered off exist exists",
        0.6,
    ),
    _clear(
        "an identity that is gone",
        "app_disabled_or_missing token_audience_or_tenant_wrong",
        "identity identities",
        _GONE,
        0.6,
    ),
    _clear(
        "something that the directory does not hold",
        "app_disabled_or_missing account_deleted token_audience_or_tenant_wrong",
        "directory entra",
        "find found exist exists",
        0.55,
        "object principal application identity",
    ),
    _clear(
        "a tenant that is not found",
        "token_audience_or_tenant_wrong app_disabled_or_missing",
        "tenant",
        "find found exist exists unknown",
        0.55,
    ),
    _clear(
        "the wrong audience or tenant",
        "token_audience_or_tenant_wrong",
        "audience issuer tenant tid iss aud directory cloud",
        f"{_WRONG} match unexpected different another other",
        0.65,
    ),
    _clear(
        "the wrong resource",
        "token_audience_or_tenant_wrong",
        "resource",
        f"{_WRONG} match unexpected different another other",
        0.6,
        "token tokens audience tenant scope scopes principal oauth directory entra aad",
    ),
    _clear(
        "a subscription that one does not see",
        "role_or_assignment_missing token_audience_or_tenant_wrong",
        "subscription subscriptions",
        "found exist exists",
        0.6,
        "no not doesn",
    ),
    _clear(
        "a token of another tenant",
        "token_audience_or_tenant_wrong",
        "tenant tenants directory issuer",
        "issued trusts trust trusted accepts expects expected",
        0.6,
        "token tokens",
    ),
    # rights
    _loose(
        "a right that lacks",
        "role_or_assignment_missing sql_permission_denied",
        "permission permissions privilege privileges rights authori* entitled accessible listed acl rbac prv*",
        f"missing denied only require* insufficient lack* need needs needed sufficient necessary enough hold must {_NOT}",
        0.6,
    ),
    _loose(
        "a role that lacks",
        "role_or_assignment_missing sql_permission_denied",
        "role roles",
        f"missing denied require* insufficient lack* need needs needed hold must {_NOT}",
        0.6,
        "have has had hold holds assigned assign grant granted member need needs needed required requires lacks",
    ),
    _loose(
        "a right that only administrators have",
        "role_or_assignment_missing",
        "administrator administrators admin admins owner owners co-owner",
        "must only need",
        0.5,
        "by must can need",
    ),
    _loose(
        "a thing that is forbidden",
        "role_or_assignment_missing conditional_access_blocked dlp_blocked",
        "forbidden",
        "app apps environment operation action request user api caller",
        0.5,
    ),
    _loose(
        "who may not",
        "role_or_assignment_missing",
        "permitted allowed entitled",
        f"{_NOT}",
        0.55,
        "you caller user account application",
    ),
    _loose(
        "who does not belong to a group",
        "role_or_assignment_missing",
        "member members membership",
        f"must only need needs required {_NOT}",
        0.55,
        "group groups team environment organization organisation directory",
    ),
    _loose(
        "no way in",
        "role_or_assignment_missing conditional_access_blocked",
        "access forbidden",
        f"denied {_NOT} refused allowed permitted restrict* resource forbidden",
        0.5,
    ),
    _clear(
        "a right in the database that lacks",
        "sql_permission_denied role_or_assignment_missing",
        "select insert update delete execute alter references",
        "denied right rights permission permissions privilege privileges permitted",
        0.7,
        "database object table schema column view procedure sql select execute alter references insert permission",
    ),
    _clear(
        "a user that the database lacks",
        "sql_user_missing",
        "user principal login",
        "database",
        0.6,
        "create mapped unknown no",
    ),
    # connections of the platform
    _clear(
        "a connection that cannot be used",
        "connection_missing_or_unshared",
        "connection connections connectionreference connectionid connectionname",
        "shared share unshared permission permissions bind unbound authenticated unauthenticated"
        " unauthorized authorized acl",
        0.6,
    ),
    _clear(
        "a reference to a connection that does not hold",
        "connection_missing_or_unshared not_connection",
        "connection connections",
        "reference references",
        0.6,
        "not missing invalid no broken deleted expired empty",
    ),
    _clear(
        "a connection that may not be used",
        "connection_missing_or_unshared",
        "connection connections",
        "allowed permitted",
        0.6,
        "not",
    ),
    _loose(
        "a connection that is not there",
        "connection_missing_or_unshared",
        "connectionreference connectionid connectionname connections",
        "missing found exist exists deleted removed invalid",
    ),
    _loose(
        "a connection to choose anew",
        "connection_missing_or_unshared token_inactive bad_credentials",
        "connection connections",
        "invalid select another different fix reconnect",
        0.5,
        "select choose pick fix flow reconnect",
    ),
    _clear(
        "a flow that is off",
        "flow_suspended",
        "flow flows workflow workflows",
        "off turned suspended disabled stopped deactivated inactive paused",
    ),
    # gateways
    _clear(
        "a gateway that does not answer",
        "gateway_offline network_or_tls",
        "gateway gateways shir opdg",
        "offline unreachable online reach unavailable down running stopped respond responding isn't unresponsive disconnected"
        " switched asleep",
        0.75,
    ),
    _clear(
        "a machine of desktop flows that does not answer",
        "gateway_offline network_or_tls",
        "machine machines listener listeners agent",
        "offline unreachable disconnected asleep reached",
        0.65,
        "desktop flow flows runtime relay endpoint uiflowservice rpa",
    ),
    _clear(
        "a runtime that does not answer",
        "gateway_offline network_or_tls",
        "runtime self-hosted node nodes",
        "offline unreachable unavailable down disconnected nodes",
        0.65,
    ),
    _clear(
        "a source that the gateway does not reach",
        "network_or_tls bad_credentials gateway_offline",
        "gateway",
        "source datasource",
        0.6,
        "reach reached reaching",
    ),
    _loose(
        "a source that the gateway does not open",
        "network_or_tls bad_credentials gateway_offline",
        "gateway",
        "source datasource",
        0.5,
        "access connect open",
    ),
    # SQL
    _clear(
        "a firewall in between",
        "sql_firewall",
        "firewall publicnetworkaccess",
        "rule rules blocked denied allow allowed deny enable access add",
    ),
    _clear(
        "an address that may not in",
        "sql_firewall",
        "ip address",
        "allowed allow denied blocked whitelist allowlist permitted",
        about="ip client firewall allowlist whitelist",
    ),
    _clear(
        "a network that may not in",
        "sql_firewall network_or_tls",
        "public private",
        "endpoint endpoints connections refuse* denied deny disabled",
        0.65,
        "sql database server",
    ),
    _clear(
        "a database that is not there",
        "sql_database_unavailable sql_transient",
        "database databases pool warehouse lakehouse replica availability instance compute",
        "paused offline restor* recover* unavailable resum* suspect available active inactive suspended stopped secondary"
        " readable intent primary read-only shutdown starting shutting emergency single-user standby accessible",
        0.65,
        "database databases pool warehouse lakehouse replica availability compute sql server",
    ),
    _clear(
        "a capacity that is paused",
        "sql_database_unavailable sql_transient",
        "capacity",
        "paused inactive suspended resum* active",
        0.65,
    ),
    _clear(
        "a server that takes nobody in",
        "sql_database_unavailable network_or_tls",
        "server service",
        "paused stopped shutdown shutting",
        0.6,
        "sql database connections",
    ),
    _clear(
        "work that was cut off and may be done again",
        "sql_transient throttled",
        "session transaction lock locks",
        "terminated killed aborted deadlock* conflict* acquire rerun retry excessive snapshot concurrent rolled",
        0.6,
    ),
    _clear(
        "a resource that runs out",
        "throttled sql_transient",
        "memory resource resources cpu worker workers dtu",
        "insufficient exceeded exhausted enough limit limits reached pool",
        0.6,
    ),
    _loose(
        "a flow that is slowed down",
        "throttled",
        "flow flows actions performance",
        "slowed slow slower",
        0.55,
    ),
    _clear(
        "a limit that is reached",
        "throttled",
        "rate requests calls throttle throttling quota limit limits",
        "exceeded exceed exceeds throttled many reached large high",
        0.65,
        "requests calls rate throttle throttling quota api concurrent actions per",
    ),
    # the network and services
    _clear(
        "an encrypted line that fails",
        "network_or_tls",
        "tls ssl handshake encrypt encryption",
        "error errors failure fail* negotiat* server support* login pre-login prelogin",
        0.65,
    ),
    _loose(
        "a line to the internet that may be down",
        "network_or_tls service_transient",
        "internet network",
        "connection check",
        0.5,
        "check verify ensure lost internet",
    ),
    _clear(
        "a name that does not resolve",
        "network_or_tls",
        "dns host hostname resolve resolution",
        "resolve resolved unknown found failed failure lookup associated",
        0.75,
    ),
    _clear(
        "a server whose name does not resolve",
        "network_or_tls",
        "resolve resolved resolving",
        "server host hostname domain address",
        0.7,
    ),
    _clear(
        "a port that does not answer",
        "network_or_tls",
        "port socket tcp host endpoint udp protocol pre-login prelogin proxy tunnel",
        "refused timeout timed reset unreachable established aborted closed response respon* connect listen* unexpected exception"
        " blocked",
        0.65,
    ),
    _loose(
        "a connection that is not made",
        "network_or_tls sql_transient",
        "connection connect connecting connectivity",
        "refused timeout timed reset unreachable establish* aborted closed lost broken dropped terminated disconnect*"
        f" unexpected* doomed fatal {_FAILS}",
        0.5,
    ),
    _loose(
        "a server that is not heard",
        "network_or_tls service_transient",
        "socket server network transport",
        "refused timeout timed reset unreachable aborted closed lost dropped disconnect*",
        0.5,
    ),
    _loose(
        "a server that stops in the middle",
        "network_or_tls sql_transient",
        "server",
        "fail* failed failure",
        0.5,
        "read write send sent receive received",
    ),
    _loose(
        "a network that fails",
        "network_or_tls service_transient",
        "network networking connectivity",
        "error errors issue issues problem problems fail* failure",
        0.55,
    ),
    _loose(
        "an answer that did not come",
        "network_or_tls service_transient sql_transient",
        "response respond responded answer disconnect*",
        f"no incomplete timeout seconds waiting within {_NOT}",
        0.45,
    ),
    _clear(
        "a service that fails",
        "service_transient",
        "internal unexpected",
        "service backend",
        0.55,
        "problem error fault failure",
    ),
    _clear(
        "a service that is down",
        "service_transient",
        "service server backend portal system upstream",
        "unavailable busy outage overloaded maintenance temporarily degraded issues upstream",
        0.6,
    ),
    # no broken connection
    _loose(
        "a piece of the flow or of the data",
        "not_connection",
        "column columns table tables property properties parameter parameters expression json xml html schema variable field"
        " object type types file item items action template syntax query conversion convert value string integer decimal boolean array"
        " body site folder drive document record row rows key page view form sheet worksheet workbook cell recipient attachment"
        " calendar event channel team chat task plan bucket list loop condition trigger formula step steps statement cursor batch"
        " index argument keyword identifier id class assembly library module package dll element entity attribute lookup"
        " component layer publisher solution statement resultset message text size delegated driver drivers header headers payload content format"
        " date number enum function operator script cmdlet command method member instance reference url uri path link run runs"
        " version etag job resource request connection_string connectionstring dsn",
        "found invalid missing required type expected support* valid allowed exists exist pars* match initialized duplicate"
        " converted cast unexpected none empty null specified requires unsupported unknown ambiguous incompatible truncated locked"
        " undefined undone exceed* large long range format* illegal update updated aborted skipped satisfied maximum minimum known need"
        " malformed loaded load primary only installed conflict read-only already deleted recognized recognised unrecogni* small"
        " overflow negative executed contain mismatch*",
        0.55,
    ),
    _clear(
        "a desktop session that does not suit",
        "not_connection",
        "session sessions",
        "active locked existing already maximum disconnected unlocked",
        0.65,
        "machine attended unattended rdp windows",
    ),
    _clear(
        "values that are encrypted",
        "not_connection",
        "ciphertext encrypted decrypt* encryption",
        "column columns key keys algorithm signature cipher value values length",
        0.65,
    ),
    _clear(
        "a grammar that is broken",
        "not_connection",
        "syntax",
        "error errors incorrect near",
        0.7,
    ),
    _loose(
        "a version that does not suit",
        "not_connection",
        "compatibility",
        "level version require* current",
        0.6,
    ),
    _loose(
        "what runs already",
        "not_connection throttled",
        "already",
        "running progress started executing",
        0.5,
    ),
    _clear(
        "characters that may not be",
        "not_connection",
        "character characters colon",
        "allowed permitted contain contains illegal invalid unexpected",
        0.65,
    ),
    _clear(
        "a gateway that nobody chose",
        "not_connection connection_missing_or_unshared",
        "gateway gateways",
        "installed configured selected supported",
        0.55,
        "not no any don",
    ),
    _loose(
        "a limit of whatever kind",
        "not_connection throttled",
        "limit limits",
        "exceed* reached",
        0.5,
    ),
    _clear(
        "no room left",
        "not_connection",
        "space disk",
        "enough left full insufficient",
        0.65,
    ),
    _clear(
        "a piece of software that is not there",
        "not_connection",
        "driver drivers library libraries dll module package",
        "configured loaded load installed install registered",
        0.65,
    ),
    _clear(
        "a thing that is not supported",
        "not_connection",
        "supported unsupported support",
        "driver feature platform authentication source provider keyword method operation version type connector data not isn't"
        " aren't doesn't currently",
        0.6,
    ),
    _loose(
        "a check before anything was asked",
        "not_connection",
        "validation validator validate",
        "failed failure error errors warnings",
        0.55,
    ),
    _loose(
        "an environment that does not suit",
        "not_connection",
        "environment environments",
        "need provision provisioned provisioning create",
        0.5,
    ),
    _loose(
        "a provider that is not registered",
        "not_connection role_or_assignment_missing",
        "provider subscription",
        "registered register registration",
        0.55,
    ),
    _loose(
        "a feature that is not there",
        "not_connection",
        "feature edition sku tier option",
        "available unavailable enabled disabled allowed",
        0.6,
    ),
    _clear(
        "a licence or a quota",
        "not_connection",
        "license licence licenses licences licensed unlicensed plan storage capacity trial premium subscription",
        "required missing exceeded expired need needs assigned correct purchase run full upgrade adequate include available"
        " creation",
        0.7,
    ),
    _pair(
        "what a program was not given",
        "not_connection",
        0.5,
        GRAMMAR,
        "no nothing none",
        "provided specified selected supplied given passed",
    ),
    _pair(
        "an act on data that failed",
        "not_connection",
        0.45,
        GRAMMAR,
        "fail* unable error errors",
        "import* export* creat* updat* delet* publish* activat* sav* render* evaluat* copy* upload* download* convert* serializ*"
        " deserializ* pars* encrypt* decrypt* compil* generat* assign* install* extract* adding setting remov* merg*",
    ),
    _pair(
        "two of one name",
        "not_connection",
        0.5,
        GRAMMAR,
        "same twice more",
        "name names id key keys",
    ),
    _pair(
        "an act that a rule of the data forbids",
        "not_connection",
        0.5,
        GRAMMAR,
        "undone",
        "this these it its because a an the is are in to by for if when while of with has already",
    ),
    _pair(
        "what a program was given",
        "not_connection",
        0.5,
        GRAMMAR,
        "valid invalid null empty exclusive must should required missing supported unsupported specified exists allowed"
        " illegal range negative duplicate unexpected cannot can't can parse parsing found",
        "is are be not been the a use set both only has have does for invoke itself value type argument",
    ),
)
