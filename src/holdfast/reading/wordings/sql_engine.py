"""How SQL Server's own list of messages words who may enter, and whether server and database are there.

From its documentation, "Database Engine events and errors" and "Troubleshoot connectivity issues and other errors with
Azure SQL Database", read 2026-11-24: pages and logs often quote these sentences without their number.
"""

from __future__ import annotations

from typing import Final

from holdfast.core.evidence import EvidenceKind
from holdfast.reading.codes import FAMILY, Meaning
from holdfast.reading.wordings import Wording


def _says(code: str, meaning: Meaning, *phrases: str) -> Wording:
    return Wording(code, EvidenceKind.SQL, meaning, phrases)


SQL_ENGINE: Final = (
    _says(
        "a connection that the server gave up",
        Meaning(("sql_transient", "sql_database_unavailable", "network_or_tls"), 0.75),
        "unable to reuse a session",
        "unable to join a session",
        "connection has been dropped because the principal that opened it",
        "cannot accept a new connection because the session has been terminated",
        "to spawn a thread to process a new login",
        "cannot accept new connections, because it is shutting down",
        "sql server is terminating",
        "shutdown is in progress",
        "has not been recovered yet",
        "failed to run adr recovery",
        "lock could not be placed on database",
        "cannot obtain a lock resource",
        "waiting to optimize the query",
        "login failed due to timeout; the connection has been closed",
        "login to read-secondary failed",
        "a disconnect event was raised",
        "could not find database id",
        "in the kill state",
        "error occurred when the server tried to reset connection",
        "insufficient memory available in the buffer pool",
    ),
    _says(
        "a connection that could not begin",
        Meaning(("network_or_tls", "sql_transient"), 0.75),
        "error during connection initialization process before login",
        "connection failed because the endpoint could not be found",
        "packet used to open the connection is structurally invalid",
        "length specified in network packet payload",
        "unable to load the ssl provider library",
        "encryption is required to connect to this server",
        "unsecured connection to the database is disallowed",
        "login failed with invalid tls version",
        "network error code … while establishing a connection",
    ),
    _says(
        "a password or a name that is refused",
        Meaning(("bad_credentials", "account_disabled", "sql_login_failed_other"), 0.75),
        "attempting to use an nt account name with sql server authentication",
        "error occurred while evaluating the password",
        "password did not match that for the",
    ),
    _says(
        "a password that could not be changed at sign-in",
        Meaning(("password_expired", "bad_credentials"), 0.75),
        "password change failed",
        "user must change the password, but it cannot be changed",
    ),
    _says(
        "a database that could not be opened",
        Meaning(("sql_login_failed_other", "sql_database_unavailable", "sql_user_missing"), 0.6, FAMILY),
        "failed to open the specified database",
        "logical master database",
        "cannot open either database",
        "cannot open user default database",
    ),
    _says(
        "a database in a state of its own",
        Meaning(("sql_database_unavailable", "sql_transient"), 0.85),
        "database was not found on this logical server",
        "database could not be found on current instance",
        "is in restricted mode",
        "already open and can only have one user",
        "cannot be opened because its version",
        "cannot open database … version",
        "error while closing database",
        "running the upgrade step",
        "acting as a mirror database",
        "is enabled for database mirroring",
        "cannot be started in this edition",
        "cannot be autostarted",
        "unable to open the physical file",
        "threatens database integrity",
        "operating system returned error … to sql server",
        "requested service has been stopped or disabled",
        "failed to bring availability group",
        "connection to the primary replica is not active",
        "no online secondary replicas are enabled",
        "state or options of database … cannot be made",
        "only administrator can connect at this time",
        "only one administrator can connect at this time",
        "sql server service has been paused",
    ),
    _says(
        "no room for one more",
        Meaning(("throttled", "sql_transient"), 0.85),
        "number of configured sessions exceeds the maximum",
        "user connections has already been reached",
        "dedicated administrator connections already exists",
        "acquired too many locks",
        "excessive tempdb usage",
        "excessive transaction log space usage",
        "excessive memory usage",
    ),
    _says(
        "more users than licences",
        Meaning(("not_connection", "throttled"), 0.75),
        "number of simultaneous users",
        "workstation licensing limit",
    ),
    _says(
        "a server that takes no logins of another",
        Meaning(("sql_login_failed_other", "bad_credentials"), 0.7),
        "not configured to accept remote logins",
        "not defined as a remote login",
        "not defined as a remote server",
        "no login-mapping exists",
    ),
    _says(
        "a Windows name that is not found",
        Meaning(("account_deleted", "sql_user_missing", "role_or_assignment_missing"), 0.5),
        "could not obtain information about windows nt group/user",
        "windows nt user or group … not found",
        "windows user or group … not found",
    ),
    _says(
        "a right that the database did not give",
        Meaning(("sql_permission_denied",), 0.9),
        "does not have permission to run dbcc",
        "does not have permission to alter database",
    ),
)
