"""What can be done, by whom, and whether holdfast can do it. Shared by the causes."""

from __future__ import annotations

from holdfast.core.verdict import Actor, Remedy

# a person signs in
SIGN_IN_AGAIN = Remedy(
    "sign_in_again",
    Actor.OWNER,
    "Open the connection in Power Automate (Data > Connections), choose Fix connection, and sign in as the same account.",
)
SIGN_IN_WITH_MFA = Remedy(
    "sign_in_with_mfa",
    Actor.OWNER,
    "Choose Fix connection and complete the second factor: a token obtained with it keeps the proof for later refreshes.",
)
ACCEPT_TERMS = Remedy(
    "accept_terms",
    Actor.OWNER,
    "Sign in at https://myapps.microsoft.com, accept the terms of use, then choose Fix connection.",
)
CHANGE_PASSWORD = Remedy(
    "change_password",
    Actor.OWNER,
    "Change the password interactively, then enter the new one wherever it is stored, or sign in again.",
)
CORRECT_CREDENTIALS = Remedy(
    "correct_credentials",
    Actor.OWNER,
    "Edit the connection and enter the credentials again; check that they are of the kind that this connection type expects.",
)

# ways out of user tokens
KEEP_ALIVE = Remedy(
    "keep_alive",
    Actor.MAKER,
    "Let a scheduled flow use this very connection every week, so that its sign-in never lies idle for 90 days.",
    can_holdfast=True,
    command="holdfast keepalive plan",
)
MOVE_TO_SERVICE_PRINCIPAL = Remedy(
    "move_to_service_principal",
    Actor.ADMIN,
    "Move the flows to a connection of type service principal, which holds no person's sign-in.",
    can_holdfast=True,
    command="holdfast migrate plan",
)

# the tenant's administrators
FIND_WHO_REVOKED = Remedy(
    "find_who_revoked",
    Actor.ENTRA_ADMIN,
    "Look in the Entra audit log for a password reset or a revocation of sessions just before the break.",
)
FIND_POLICY = Remedy(
    "find_policy",
    Actor.ENTRA_ADMIN,
    "Open the failed entry in the Entra sign-in log by the correlation id of the error; its Conditional Access tab names the policy.",
)
EXCLUDE_ACCOUNT = Remedy(
    "exclude_account",
    Actor.ENTRA_ADMIN,
    "Exclude this account from the policy, or add a policy of its own that it can meet without a person or a device.",
)
ENABLE_ACCOUNT = Remedy(
    "enable_account",
    Actor.ENTRA_ADMIN,
    "Enable the account again if it was disabled by mistake; the old sign-in may then work again.",
)
RESTORE_ACCOUNT = Remedy(
    "restore_account",
    Actor.ENTRA_ADMIN,
    "Restore the account from Deleted users (within 30 days of its deletion) if it was removed by mistake.",
)
HAND_OVER = Remedy(
    "hand_over",
    Actor.ADMIN,
    "Have somebody else who may edit the connection choose Fix connection and sign in: the connection then acts as that account.",
)
UNLOCK_ACCOUNT = Remedy(
    "unlock_account",
    Actor.ENTRA_ADMIN,
    "Unlock the account (Entra lockouts end by themselves; a SQL login: ALTER LOGIN ... WITH PASSWORD = ... UNLOCK).",
)
STOP_WRONG_TRIES = Remedy(
    "stop_wrong_tries",
    Actor.MAKER,
    "Find what keeps trying with an old password (other flows, jobs, devices) and stop it, or the lock comes back.",
)
GRANT_CONSENT = Remedy(
    "grant_consent",
    Actor.ENTRA_ADMIN,
    "Grant consent: Entra admin center > Enterprise applications > the application > Permissions > Grant admin consent.",
)
ENABLE_APPLICATION = Remedy(
    "enable_application",
    Actor.ENTRA_ADMIN,
    "Check that the application exists in this tenant and that sign-in is enabled: Enterprise applications > the application > Properties.",
)
ASSIGN_ROLE = Remedy(
    "assign_role",
    Actor.ADMIN,
    "Give the identity that the error names the role, assignment or permission that it lacks, then wait some minutes.",
)
USE_RIGHT_TENANT = Remedy(
    "use_right_tenant",
    Actor.MAKER,
    "Compare tenant id, cloud and resource of the connection with the place that it signs in to, and correct them.",
)

# applications' credentials
RENEW_SECRET = Remedy(
    "renew_secret",
    Actor.APP_OWNER,
    "Add a new client secret to the application and enter its value in the connection before the old one is removed.",
    can_holdfast=True,
    command="holdfast rotate plan",
)
ENTER_SECRET_VALUE = Remedy(
    "enter_secret_value",
    Actor.APP_OWNER,
    "Enter the secret's value, not its id; where nobody has it any more, make a new secret.",
)
RENEW_CERTIFICATE = Remedy(
    "renew_certificate",
    Actor.APP_OWNER,
    "Register the certificate in use under the application's Certificates & secrets, or give the connection the registered one.",
)

# SQL
CREATE_SQL_USER = Remedy(
    "create_sql_user",
    Actor.DBA,
    "Connect to the database that the flow opens and create the user: CREATE USER [name] FROM EXTERNAL PROVIDER.",
)
GRANT_IN_SQL = Remedy(
    "grant_in_sql",
    Actor.DBA,
    "Grant the permission that the error names on that object to the user or to a role of the flow's own.",
)
READ_SQL_LOG = Remedy(
    "read_sql_log",
    Actor.DBA,
    "Read the state of error 18456 in the server's error log or audit: clients never see the true one.",
)
NAME_THE_DATABASE = Remedy(
    "name_the_database",
    Actor.MAKER,
    "Check the server and database names in the connection and in the action; name the database instead of the default.",
)
OPEN_FIREWALL = Remedy(
    "open_firewall",
    Actor.DBA,
    "Allow the address in the error, or the connector's outbound addresses, in the server's Networking page; rules take up to five minutes.",
)
RESUME_DATABASE = Remedy(
    "resume_database",
    Actor.DBA,
    "Resume or bring online the database; a paused serverless one wakes within about a minute of the first login.",
)
RETRY = Remedy(
    "retry",
    Actor.NOBODY,
    "Run the flow again; where it happens often, set the action's retry policy to exponential.",
)

# networks, gateways, services
START_GATEWAY = Remedy(
    "start_gateway",
    Actor.GATEWAY_ADMIN,
    "Start the gateway service on its machine and check its sign-in and outbound traffic; add a second member to the cluster.",
)
FIX_NETWORK = Remedy(
    "fix_network",
    Actor.NETWORK_ADMIN,
    "Test name resolution and port 1433 (and 11000-11999 for redirect) from where the connection runs.",
)
TRUST_CERTIFICATE = Remedy(
    "trust_certificate",
    Actor.DBA,
    "Give the server a certificate for the name that clients use, from an authority that they trust.",
)
SLOW_DOWN = Remedy(
    "slow_down",
    Actor.MAKER,
    "Lower the concurrency, page or batch the calls, and spread schedules; each answer says how long to wait.",
)
WAIT_FOR_SERVICE = Remedy(
    "wait_for_service",
    Actor.NOBODY,
    "Wait and run again; look at the service health page when it lasts longer than an hour.",
)

# Power Platform
CHANGE_POLICY_OR_CONNECTOR = Remedy(
    "change_policy_or_connector",
    Actor.ADMIN,
    "Move the connectors into one group of the data policy, exempt the environment, or take the blocked connector out of the flow.",
)
BIND_CONNECTION = Remedy(
    "bind_connection",
    Actor.MAKER,
    "Open the flow or the connection reference and choose a connection that exists and is yours or shared with you.",
)
SHARE_CONNECTION = Remedy(
    "share_connection",
    Actor.OWNER,
    "Share the connection with whoever runs or turns on the flow (possible for service principals and password connections).",
)
TURN_ON_FLOW = Remedy(
    "turn_on_flow",
    Actor.MAKER,
    "Remove the reason for which it was turned off (failures, data policy, licence), then turn the flow on again.",
)

# where no cause is named
CORRECT_FLOW = Remedy(
    "correct_flow",
    Actor.MAKER,
    "Correct what the text names (expression, query, data, licence or request): the connection is not to blame.",
)
SHOW_WHOLE_ERROR = Remedy(
    "show_whole_error",
    Actor.MAKER,
    "Open the failed run, choose the first failed action, show its raw outputs, and explain that whole text.",
)
