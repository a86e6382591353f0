"""Codes of Power Platform, Logic Apps, Dataverse, Graph, ARM, gateways, OAuth and runtimes, and what they mean.

Only codes that are one word of their own are listed. A code that any failure can wear ("ActionFailed") is an
envelope: it is recognised, and says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import ENVELOPE, FAMILY, NARROW, Meaning
from holdfast.reading.flow_codes import FLOW_CODES
from holdfast.reading.msal_codes import MSAL


class KnownCode(NamedTuple):
    """A code as the service spells it."""

    code: str
    kind: EvidenceKind
    meaning: Meaning


SAYS_NOTHING: Final = Meaning((), 0.0, ENVELOPE)
NO_BREAK: Final = Meaning(("not_connection",), 0.93)
_CONNECTION: Final = Meaning(("connection_missing_or_unshared",), 0.92)
FLOW_CLIENT: Final = Meaning(("connection_missing_or_unshared", "not_connection"), 0.5, ENVELOPE)
_GATEWAY: Final = Meaning(("gateway_offline", "network_or_tls"), 0.92)
ROLE: Final = Meaning(("role_or_assignment_missing",), 0.9)
THROTTLED: Final = Meaning(("throttled",), 0.94)
_DLP: Final = Meaning(("dlp_blocked",), 0.95)
_OFF: Final = Meaning(("flow_suspended",), 0.93)
NETWORK: Final = Meaning(("network_or_tls",), 0.93)

_LISTED: Final[tuple[tuple[EvidenceKind, Meaning, str], ...]] = (
    (
        EvidenceKind.OAUTH,
        Meaning(("token_inactive", "password_changed", "session_revoked", "bad_credentials"), 0.35, ENVELOPE),
        "invalid_grant",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("secret_invalid", "secret_expired", "certificate_invalid"), 0.5, ENVELOPE),
        "invalid_client",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("app_disabled_or_missing", "bad_credentials", "consent_missing"), 0.45, ENVELOPE),
        "unauthorized_client",
    ),
    (EvidenceKind.OAUTH, Meaning(("consent_missing",), 0.8, FAMILY), "consent_required"),
    (
        EvidenceKind.OAUTH,
        Meaning(
            ("mfa_required", "conditional_access_blocked", "signin_frequency", "token_inactive"), 0.45, FAMILY
        ),
        "interaction_required InteractionRequired Status_InteractionRequired",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("token_audience_or_tenant_wrong", "app_disabled_or_missing"), 0.5, ENVELOPE),
        "invalid_resource invalid_target",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("consent_missing", "token_audience_or_tenant_wrong"), 0.4, ENVELOPE),
        "invalid_scope",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("not_connection",), 0.4, ENVELOPE),
        "invalid_request unsupported_grant_type",
    ),
    # suberrors
    (EvidenceKind.OAUTH, Meaning(("token_inactive", "session_revoked"), 0.5, FAMILY), "bad_token"),
    (EvidenceKind.OAUTH, Meaning(("signin_frequency", "token_inactive"), 0.5, FAMILY), "token_expired"),
    (
        EvidenceKind.OAUTH,
        Meaning(("mfa_required", "conditional_access_blocked", "consent_missing"), 0.5, ENVELOPE),
        "basic_action additional_action message_only",
    ),
    (
        EvidenceKind.OAUTH,
        Meaning(("device_not_compliant",), 0.85, FAMILY),
        "protection_policy_required device_authentication_failed",
    ),
    (EvidenceKind.OAUTH, Meaning(("bad_credentials",), 0.6, FAMILY), "client_mismatch"),
    # SQLSTATE, where it is a word of its own
    (EvidenceKind.SQL, Meaning(("sql_transient", "network_or_tls"), 0.7, FAMILY), "08S01"),
    (EvidenceKind.SQL, Meaning(("network_or_tls", "sql_transient"), 0.7, FAMILY), "HYT00 HYT01"),
    (EvidenceKind.SQL, Meaning(("not_connection",), 0.9), "42S02 42S22 42S01"),
    # AD FS and Azure AD B2C
    (
        EvidenceKind.OAUTH,
        Meaning(("token_inactive", "password_changed", "session_revoked"), 0.6),
        "MSIS9615 MSIS9614",
    ),
    (EvidenceKind.OAUTH, Meaning(("bad_credentials",), 0.85), "MSIS9659 MSIS3126 AADB2C90054 AADB2C90225"),
    (EvidenceKind.OAUTH, Meaning(("token_inactive",), 0.85), "AADB2C90080 AADB2C90129"),
    (EvidenceKind.OAUTH, Meaning(("account_deleted",), 0.8), "AADB2C90053"),
    (EvidenceKind.OAUTH, Meaning(("account_locked",), 0.85), "AADB2C90157 AADB2C90114"),
    (
        EvidenceKind.OAUTH,
        Meaning(("token_audience_or_tenant_wrong", "bad_credentials"), 0.6),
        "AADB2C90088 AADB2C90090",
    ),
    # what any failure wears
    (
        EvidenceKind.CONNECTOR,
        SAYS_NOTHING,
        "ActionFailed ActionSkipped ActionDependencyFailed ActionConditionFailed DynamicInvocationRequestFailed"
        " BusinessAppPlatformRequestFailed FlowRunFailed DM_GWPipeline_UnknownError WorkflowRunActionFailed generalException"
        " UnresolvableHostName ResponseTimeout FlowActionException OpenApiActionFailed",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("bad_credentials", "role_or_assignment_missing", "session_revoked"), 0.42, ENVELOPE),
        "Unauthorized",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("role_or_assignment_missing", "conditional_access_blocked"), 0.45, ENVELOPE),
        "Forbidden",
    ),
    # connections
    (
        EvidenceKind.CONNECTOR,
        _CONNECTION,
        "ConnectionNotFound ConnectionAuthorizationFailed InvokerConnectionOverrideFailed InvalidConnection"
        " ConnectionReferenceNotFound ConnectionReferenceMissing MissingConnectionReference MissingConnections"
        " XrmConnectionReferenceMissingConnection XrmConnectionReferenceMissing XrmConnectionReferenceNotFound"
        " ConnectionNotConfigured ConnectionNotAuthenticated ApiConnectionNotFound ConnectionsNotFound"
        " ConnectionReferenceInvalid InvalidConnectionReference ConnectionIdMissing ConnectionOverrideFailed"
        " ConnectionNotShared NotAllowedConnectionReference WorkflowConnectionNotFound WorkflowAppConnectionNotFound"
        " LogicAppsConnectionNotFound ConnectionRequestFailed ConnectionBroken",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("connection_missing_or_unshared", "session_revoked", "token_inactive"), 0.75, FAMILY),
        "Unauthenticated ConfigurationNeeded",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("app_disabled_or_missing", "connection_missing_or_unshared"), 0.7),
        "ApiNotFound ConnectorNotFound ApiResourceNotFound CustomConnectorNotFound",
    ),
    # flows
    (
        EvidenceKind.CONNECTOR,
        _OFF,
        "WorkflowTriggerIsNotEnabled WorkflowDisabled WorkflowNotEnabled FlowDisabled FlowSuspended FlowTurnedOff"
        " ChildFlowDisabled ChildFlowNeverPublished AlwaysFailingDetected NeverTriggeringDetected"
        " WorkflowTriggerNotEnabled WorkflowSuspended FlowIsTurnedOff WorkflowNotActive",
    ),
    # data policies
    (
        EvidenceKind.DLP,
        _DLP,
        "CompanyDlpViolation DlpViolation DlpPolicyViolation DataLossPreventionViolation DlpPolicyBlocked"
        " ApiPolicyViolation ApiPolicyOrThrottlingViolation DlpBlocked ConnectorBlockedByDlp ConnectionBlockedByDlp DataPolicyViolation"
        " PolicyViolation BlockedByDlp ApiGroupsViolation DataGroupViolation FlowViolatesDlpPolicy"
        " RequestBlockedByDlp DlpConnectorBlocked ConnectorDataLossPreventionViolation",
    ),
    # gateways
    (
        EvidenceKind.GATEWAY,
        _GATEWAY,
        "GatewayNotReachable GatewayUnreachable GatewayOffline GatewayNotOnline GatewayClusterOffline"
        " DM_GWPipeline_Client_GatewayUnreachable DM_GWPipeline_Client_NoGatewayAvailable"
        " DMTS_GatewayUnreachableError NoGatewayAvailable GatewayDisconnected GatewayServiceUnavailable"
        " DM_GWPipeline_Client_GatewayOffline IntegrationRuntimeOffline AllRuntimeNodesOffline"
        " SelfHostedIROffline GatewayTransferFailed DM_GWPipeline_Gateway_RelayUnreachable",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("gateway_offline", "network_or_tls", "service_transient"), 0.5, FAMILY),
        "DM_GWPipeline_Client_AsyncOperationExpired DM_GWPipeline_Gateway_SpooledOperationMissing"
        " DM_GWPipeline_Client_OperationTimedOut GatewayTimeoutError DM_GWPipeline_Client_ListenerError"
        " GatewayClientErrorResponse",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("bad_credentials",), 0.88),
        "DM_GWPipeline_Gateway_InvalidConnectionCredentials DM_GWPipeline_Gateway_CannotDecryptConnectionCredentials"
        " DM_GWPipeline_Gateway_ImpersonationError DM_GWPipeline_Gateway_InvalidCredentials"
        " DM_GWPipeline_Gateway_DataSourceInvalidCredentials AccessUnauthorized ModelRefresh_ShortMessage_Credentials"
        " InvalidConnectionCredentials InvalidCredentials DMTS_DatasourceHasNoCredentialError"
        " DM_GWPipeline_Gateway_CredentialsDecryptionFailed",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("token_inactive", "session_revoked", "password_changed", "bad_credentials"), 0.45, FAMILY),
        "DM_GWPipeline_Client_OAuthTokenRefreshFailedError DM_GWPipeline_Client_OAuthTokenLoginFailedError"
        " DMTS_OAuthTokenRefreshFailedError DMTS_OAuthTokenLoginFailedError OAuthTokenRefreshFailed"
        " DMTS_OAuthFailedToGetTokenError",
    ),
    (
        EvidenceKind.GATEWAY,
        # the driver's own words, which such an answer quotes, say more
        Meaning(("network_or_tls", "gateway_offline"), 0.75, NARROW),
        "DM_GWPipeline_Gateway_ServerUnreachable DM_GWPipeline_Gateway_HostUnreachable",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("network_or_tls", "sql_transient"), 0.6, FAMILY),
        "DM_GWPipeline_Gateway_TimeoutError",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("network_or_tls", "bad_credentials", "sql_login_failed_other"), 0.35, ENVELOPE),
        "DM_GWPipeline_Gateway_DataSourceAccessError DM_GWPipeline_Gateway_MashupDataAccessError"
        " DM_GWPipeline_Gateway_DatabaseLoadError DM_GWPipeline_Gateway_ProviderDataAccessError"
        " DM_GWPipeline_Gateway_ProviderDataAccessNonHResultError DM_GWPipeline_Gateway_GatewayExceptionError",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("network_or_tls", "sql_login_failed_other", "sql_firewall"), 0.4, ENVELOPE),
        "SqlFailedToConnect UserErrorFailedToConnectToSqlServer UserErrorFailedToConnectOdbcSource",
    ),
    (
        EvidenceKind.GATEWAY,
        NO_BREAK,
        "DM_GWPipeline_Gateway_InvalidObjectNameException DM_GWPipeline_Gateway_MashupDataExpressionError"
        " DMTS_MonikerWithUnboundDataSources ConnectionGatewayReferenceMissing"
        " DM_GWPipeline_Gateway_InvalidColumnName GatewayVersionOutdated",
    ),
    # rights
    (
        EvidenceKind.CONNECTOR,
        ROLE,
        "AuthorizationFailed LinkedAuthorizationFailed Authorization_RequestDenied AuthorizationPermissionMismatch"
        " EnvironmentAccessDenied ErrorAccessDenied AccessDenied PrivilegeDenied InsufficientPermissions"
        " InsufficientPrivileges UserNotMemberOfOrg UserNotMemberOfCdsSecurityGroup UserNotPartOfOrganization ErrorItemAccessDenied"
        " ForbiddenByRbac AuthorizationFailure WorkflowAuthorizationFailed PermissionDenied PrincipalMissingPermissions"
        " SecLibAccessDenied RoleAssignmentMissing UserMissingPrivileges InsufficientAccessRights"
        " CrmCheckPrivilegeFailure ActionForbidden MissingRoles"
        " InsufficientAccountPermissions",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("role_or_assignment_missing", "sql_firewall"), 0.6),
        "ForbiddenByPolicy",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("sql_firewall", "role_or_assignment_missing"), 0.7),
        "ForbiddenByFirewall",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("account_disabled",), 0.9),
        "UserDisabled UserIsDisabled ErrorAccountSuspend",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("account_deleted",), 0.85),
        "UserNotFound ErrorNonExistentMailbox UserDeleted",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("bad_credentials", "role_or_assignment_missing"), 0.6, FAMILY),
        "ResourceAccessAuthorizationException ResourceAccessForbiddenException",
    ),
    # tokens at resources
    (
        EvidenceKind.CONNECTOR,
        Meaning(("bad_credentials", "token_inactive", "token_audience_or_tenant_wrong"), 0.45, FAMILY),
        "InvalidAuthenticationToken AuthenticationFailed InvalidAuthenticationInfo AuthenticationFailedInvalidHeader"
        " Authentication_MissingOrMalformed"
        " ErrorInvalidToken",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("token_inactive",), 0.85),
        "ExpiredAuthenticationToken AccessTokenExpired TokenExpired",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("token_audience_or_tenant_wrong",), 0.9),
        "InvalidAuthenticationTokenTenant InvalidAuthenticationTokenAudience InvalidAudience InvalidTokenAudience"
        " InvalidTokenIssuer InvalidIssuer WrongTenant TenantNotFound",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("session_revoked", "password_changed"), 0.88),
        "TokenCreatedWithOutdatedPolicies TokenIssuedBeforeRevocationTimestamp TokenRevoked",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("conditional_access_blocked",), 0.88),
        "LocationConditionEvaluationSatisfied BlockedByConditionalAccess IpAddressBlocked",
    ),
    (EvidenceKind.CONNECTOR, Meaning(("bad_credentials",), 0.85), "InvalidApiKey InvalidSubscriptionKey"),
    # limits and passing faults
    (
        EvidenceKind.CONNECTOR,
        THROTTLED,
        "TooManyRequests RequestThrottled RateLimitExceeded ApplicationThrottled ActivityLimitReached"
        " ErrorExceededConnectionCount ErrorServerBusy ThrottledRequest OperationThrottled TooManyRequestsError"
        " ServerBusy SubscriptionRequestsThrottled OutgoingRequestThrottled FlowRunQuotaExceeded"
        " DailyLimitExceeded QuotaExceededThrottled ThrottlingError ApiThrottled TooManyConcurrentRequests"
        " OpenAIRateLimitReached CombinedExecutionTimeExceeded ConcurrencyLimitExceeded"
        " RequestRateTooLarge MaxRequestRateExceeded DirectApiRequestThrottled",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("service_transient",), 0.8, FAMILY),
        "ServiceUnavailable ServiceTimeout ServerTimeout ServiceNotAvailable RetryableError",
    ),
    (
        EvidenceKind.CONNECTOR,  # what a service says for whatever happened behind it
        Meaning(("service_transient", "network_or_tls", "not_connection"), 0.6, ENVELOPE),
        "BadGateway InternalServerError InternalError UnknownServerError",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("service_transient", "network_or_tls"), 0.6, FAMILY),
        "GatewayTimeout RequestTimeout OperationTimedOut",
    ),
    # runtimes
    (
        EvidenceKind.WORDING,
        NETWORK,
        "ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH CERT_HAS_EXPIRED EPROTO"
        " SELF_SIGNED_CERT_IN_CHAIN DEPTH_ZERO_SELF_SIGNED_CERT UNABLE_TO_VERIFY_LEAF_SIGNATURE"
        " ERR_TLS_CERT_ALTNAME_INVALID NameResolutionFailure TrustFailure SecureChannelFailure"
        " NameResolutionError SSLHandshakeException UnknownHostException CERTIFICATE_VERIFY_FAILED"
        # browsers
        " ERR_CONNECTION_RESET ERR_CONNECTION_REFUSED ERR_CONNECTION_TIMED_OUT ERR_CONNECTION_CLOSED ERR_CONNECTION_ABORTED"
        " ERR_NAME_NOT_RESOLVED ERR_INTERNET_DISCONNECTED ERR_TIMED_OUT ERR_NETWORK_CHANGED ERR_ADDRESS_UNREACHABLE"
        " ERR_EMPTY_RESPONSE ERR_PROXY_CONNECTION_FAILED ERR_TUNNEL_CONNECTION_FAILED ERR_SSL_PROTOCOL_ERROR"
        " ERR_CERT_AUTHORITY_INVALID ERR_CERT_DATE_INVALID ERR_CERT_COMMON_NAME_INVALID",
    ),
    (
        EvidenceKind.WORDING,
        Meaning(("network_or_tls", "service_transient", "sql_transient"), 0.7),
        "ETIMEDOUT ECONNRESET ESOCKET ConnectFailure ReceiveFailure KeepAliveFailure ETIMEOUT",
    ),
    # no broken connection
    (
        EvidenceKind.CONNECTOR,
        NO_BREAK,
        "InvalidTemplate ExpressionEvaluationFailed InvalidTemplateDeployment WorkflowOperationParametersExtraParameter"
        " WorkflowOperationParametersRuntimeMissingValue OpenApiOperationParameterValidationFailed"
        " OpenApiOperationParameterTypeConversionFailed OpenApiOperationForbiddenParameter InvalidJSON InvalidJson"
        " InvalidContentType ContentConversionFailed ActionResultsSizeLimitExceeded RequestEntityTooLarge"
        " TriggerConditionsNotMet InvalidVariableOperation VariableNotInitialized InvalidApiVersion"
        " InvalidApiVersionParameter MissingApiVersionParameter MissingEnvironmentFilter"
        " FlowCheckerError LicenseNotFound MissingLicense UserNotLicensed PlanNotSupported NotEntitled"
        " InsufficientCapacity StorageLimitExceeded MailboxNotEnabledForRESTAPI ResourceNotFound ErrorItemNotFound"
        " itemNotFound NameAlreadyExists ResponseSwaggerSchemaValidationFailure"
        " InvalidRequestContent InvalidTrigger InvalidParameter MissingRequiredParameter WorkflowRunInProgress"
        " InvalidWorkflowTriggerRecurrence InvalidWorkflowManagerResponse MissingUserServicePlan MissingAdequateQuotaPolicy"
        " UserLicenseMissing InvalidPaginationPolicy SchemaValidationFailed JsonReaderException DuplicateRecord"
        " DuplicateRecordsFound InvalidReference UnsupportedOperation FlowNotFound WorkflowNotFound"
        " TriggerInputSchemaMismatch ParameterBindingValidationException NotImplemented"
        " InvalidQueryParameterValue InvalidInput EnvironmentNotFound InvalidODataQuery ValidationError"
        " PreconditionFailed PropertySelectionFailed ExpressionInvalid"
        # EWS and Graph, of mail and calendars
        " ErrorQuotaExceeded QuotaExceededException ErrorMessageSizeExceeded ErrorInvalidRecipients"
        " ErrorMissingEmailAddress ErrorMissingRecipients ErrorFolderNotFound ErrorInvalidIdMalformed"
        " ErrorInvalidProperty ErrorAttachmentSizeLimitExceeded ErrorMailRecipientNotFound ErrorSchemaValidation"
        " ErrorIrresolvableConflict ErrorCalendarItemNotFound Request_ResourceNotFound Request_BadRequest",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("not_connection",), 0.8, FAMILY),
        "JsonSerializationException SerializationException AdaptiveSerializationException FormatException"
        " ArgumentException ArgumentNullException ArgumentOutOfRangeException InvalidCastException"
        " KeyNotFoundException IndexOutOfRangeException JSONDecodeError MODULE_NOT_FOUND ERR_MODULE_NOT_FOUND"
        " ModuleNotFoundError",
    ),
)

PLATFORM_CODES: Final[Mapping[str, KnownCode]] = {
    code.lower(): KnownCode(code, kind, meaning)
    for kind, meaning, codes in (*_LISTED, *FLOW_CODES, *MSAL)
    for code in codes.split()
}
"""Lower-cased code to what it is."""
