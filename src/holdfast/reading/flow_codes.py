"""Codes of Power Automate's own two lists: cloud flows ("Cloud flow error code reference") and desktop flows ("Error code
occurs when running an attended or unattended desktop flow"), read 2026-11-24."""

from __future__ import annotations

from typing import Final

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import ENVELOPE, FAMILY, Meaning

_NO_BREAK: Final = Meaning(("not_connection",), 0.93)

FLOW_CODES: Final[tuple[tuple[EvidenceKind, Meaning, str], ...]] = (
    # cloud flows and Logic Apps
    (
        EvidenceKind.CONNECTOR,
        _NO_BREAK,
        "DuplicateActionName MissingRequiredProperty TriggerConditionNotMet ActionBranchingConditionNotSatisfied"
        " ActionResponseSkipped InlineCodeScriptRuntimeFailure NestedWorkflowDoesNotContainResponseAction"
        " WorkflowRunTimedOut FlowRunTimedOut WorkflowRunDurationExceeded",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("not_connection", "network_or_tls", "service_transient"), 0.45, ENVELOPE),
        "ActionTimedOut NoResponse",
    ),
    (
        EvidenceKind.CONNECTOR,  # wraps what is wrong with a definition
        Meaning(("not_connection", "connection_missing_or_unshared"), 0.5, ENVELOPE),
        "InvalidOpenApiFlow DM_GWPipeline_Gateway_CanceledError",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("throttled", "not_connection"), 0.8),
        "WorkflowRunActionRepetitionQuotaExceeded WorkflowRunRepetitionQuotaExceeded",
    ),
    (
        EvidenceKind.CONNECTOR,  # a caller without a premium licence, a caller without a token
        Meaning(("role_or_assignment_missing", "not_connection", "bad_credentials"), 0.55, FAMILY),
        "DirectApiAuthorizationRequired",
    ),
    # desktop flows: the machine and its service
    (
        EvidenceKind.GATEWAY,
        Meaning(("gateway_offline", "network_or_tls"), 0.85),
        "UIFlowAgentNotAvailable UIFlowAgentLauncherServiceIsNotRunning NoListenerConnected EndpointDoNotExist"
        " OnPremiseDataGatewayNotAvailable MachineOffline MachineNotReachable",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("network_or_tls", "gateway_offline"), 0.8),
        "ConnectionNotEstablished ConnectionTimeout DnsError UnableToCallCrlEndpoint",
    ),
    (
        EvidenceKind.GATEWAY,
        Meaning(("not_connection", "gateway_offline", "throttled"), 0.5, FAMILY),
        "NoCandidateMachine",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("service_transient", "network_or_tls"), 0.7),
        "DataverseTimeout",
    ),
    (EvidenceKind.CONNECTOR, Meaning(("throttled",), 0.94), "DesktopFlowsActionThrottled"),
    # who may open a session on it
    (
        EvidenceKind.CONNECTOR,
        Meaning(("bad_credentials",), 0.88),
        "WindowsIdentityIncorrect SessionCreationInvalidCredentials MSEntraLogonFailure AADLogonFailure"
        " SessionCreationUserPromptedForCredentialsAfterConnection MSEntraMachineAlwaysPromptingForPassword",
    ),
    (EvidenceKind.CONNECTOR, Meaning(("account_locked",), 0.93), "AccountLockedOut"),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("role_or_assignment_missing",), 0.85),
        "RdpPermissionNotGranted UIFlowServiceNoRdpPermissions LogonTypeNotGranted",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("token_audience_or_tenant_wrong", "conditional_access_blocked"), 0.75),
        "UnallowedTenantForConnectWithSignIn",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("certificate_invalid", "not_connection"), 0.75),
        "InvalidUIFlowsCertificates AuthTokenNotYetValid",
    ),
    (
        EvidenceKind.CONNECTOR,
        Meaning(("not_connection", "connection_missing_or_unshared"), 0.7),
        "XrmMachineGroupNotFound MachineNotFound MachineGroupNotFound UnattendedUnsupportedWithOldConnection",
    ),
    (
        EvidenceKind.CONNECTOR,
        _NO_BREAK,
        "UnsupportedRpaScriptSchemaVersion AttendedUserSessionNotActive AttendedUserNotLoggedIn SessionCreationError"
        " SessionCreationErrorWithThirdPartyCredentialProvider SessionCreationWinLogonFailure SessionExistsForTheUserWhenUnattended"
        " UnattendedUserSessionDisconnected UnattendedUserSessionLocked SessionNotFound SessionNotFoundAfterCreation"
        " TooManyActiveSessions SessionHasLoggedOff SessionHasLoggedOffWithMaxIdleTime MaxRDSessionDurationReached"
        " ExistingRecordingSession LocalPlaybackOrRecordingOngoing RDPIsNotEnabled UIFlowAlreadyRunning"
        " Win10AlreadyHasActiveSession GroupIsEmpty DesktopFlowsActionTimeout TotalChunksMismatch"
        " DesktopFlowMalformedMachineResponse WcfServerCrash",
    ),
)
"""As `platform_codes` lists its own: what kind of sign, what it means, the codes as the service spells them."""
