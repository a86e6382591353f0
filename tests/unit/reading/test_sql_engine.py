"""Messages of SQL Server's own list are read by their number and by their words alike."""

from __future__ import annotations

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_text

BOOK = load_codebook()
LISTED = [  # number, causes that fit, the message as the documentation has it
    (
        "18056",
        "sql_transient sql_database_unavailable",
        "The client was unable to reuse a session with SPID 58, which had been reset for connection pooling.",
    ),
    (
        "18059",
        "sql_transient sql_login_failed_other",
        "The connection has been dropped because the principal that opened it subsequently assumed a new security context, and then tried to reset the connection under its impersonated security context.",
    ),
    ("18061", "sql_transient", "The client was unable to join a session with SPID 61."),
    (
        "18401",
        "sql_database_unavailable sql_transient",
        "Login failed for user 'app'. Reason: Server is in script upgrade mode. Only administrator can connect at this time.",
    ),
    (
        "18460",
        "not_connection throttled",
        "Login failed. The number of simultaneous users has already reached the limit of 5 licenses for this 'Developer' server. Additional licenses should be obtained and installed or you should upgrade to a full version.",
    ),
    (
        "18463",
        "password_expired",
        'The login failed for user "app". The password change failed. The password cannot be used at this time.',
    ),
    (
        "18464",
        "password_expired",
        "Login failed for user 'app'. Reason: Password change failed. The password does not meet operating system policy requirements because it is too short.",
    ),
    (
        "18485",
        "sql_login_failed_other not_connection",
        "Could not connect to server 'SQL02' because it is not configured to accept remote logins.",
    ),
    ("17142", "sql_database_unavailable", "SQL Server service has been paused."),
    (
        "17187",
        "sql_transient sql_database_unavailable",
        "SQL Server is not ready to accept new client connections.",
    ),
    (
        "17188",
        "sql_transient sql_database_unavailable",
        "SQL Server cannot accept new connections, because it is shutting down. The connection has been closed.",
    ),
    (
        "17189",
        "sql_transient throttled",
        "SQL Server failed with error code 0xc0000000 to spawn a thread to process a new login or connection.",
    ),
    ("17191", "sql_transient", "Cannot accept a new connection because the session has been terminated."),
    (
        "17194",
        "network_or_tls",
        "The server was unable to load the SSL provider library needed to log in; the connection has been closed.",
    ),
    (
        "17197",
        "sql_transient throttled network_or_tls",
        "Login failed due to timeout; the connection has been closed. This error may indicate heavy server load. Reduce the load on the server and retry login.",
    ),
    ("17198", "network_or_tls sql_transient", "Connection failed because the endpoint could not be found."),
    (
        "17810",
        "throttled",
        "Could not connect because the maximum number of '1' dedicated administrator connections already exists.",
    ),
    (
        "17813",
        "sql_database_unavailable throttled",
        "The requested service has been stopped or disabled and is unavailable at this time. The connection has been closed.",
    ),
    (
        "17828",
        "network_or_tls",
        "The prelogin packet used to open the connection is structurally invalid; the connection has been closed.",
    ),
    (
        "17832",
        "network_or_tls",
        "The login packet used to open the connection is structurally invalid; the connection has been closed. Please contact the vendor of the client library.",
    ),
    (
        "17836",
        "network_or_tls",
        "Length specified in network packet payload did not match number of bytes read; the connection has been closed.",
    ),
    (
        "17300",
        "throttled sql_transient",
        "SQL Server was unable to run a new system task, either because there is insufficient memory or the number of configured sessions exceeds the maximum allowed in the server.",
    ),
    ("802", "sql_transient", "There is insufficient memory available in the buffer pool."),
    (
        "904",
        "sql_database_unavailable",
        "Database 7 cannot be autostarted during server shutdown or startup.",
    ),
    (
        "921",
        "sql_database_unavailable sql_transient",
        "Database 'Sales' has not been recovered yet. Wait and try again.",
    ),
    (
        "923",
        "sql_database_unavailable sql_login_failed_other",
        "Database 'Sales' is in restricted mode. Only the database owner and members of the dbcreator and sysadmin roles can access it.",
    ),
    (
        "924",
        "sql_database_unavailable",
        "Database 'Sales' is already open and can only have one user at a time.",
    ),
    (
        "941",
        "sql_database_unavailable",
        "Database 'Sales' cannot be opened because it is not started. Retry when the database is started.",
    ),
    (
        "943",
        "sql_database_unavailable",
        "Database 'Sales' cannot be opened because its version (661) is later than the current server version (655).",
    ),
    (
        "945",
        "sql_database_unavailable",
        "Database 'Sales' cannot be opened due to inaccessible files or insufficient memory or disk space. See the SQL Server errorlog for details.",
    ),
    (
        "947",
        "sql_database_unavailable",
        "Error while closing database 'Sales'. Check for previous additional errors and retry the operation.",
    ),
    (
        "952",
        "sql_database_unavailable sql_transient",
        "Database 'Sales' is in transition. Try the statement later.",
    ),
    (
        "954",
        "sql_database_unavailable sql_transient",
        'The database "Sales" cannot be opened. It is acting as a mirror database.',
    ),
    (
        "955",
        "sql_database_unavailable sql_transient",
        "Database Sales is enabled for Database Mirroring, but the database lacks quorum: the database cannot be opened.",
    ),
    (
        "956",
        "sql_database_unavailable sql_transient",
        "Database Sales is enabled for Database Mirroring, but has not yet synchronized with its partner. Try the operation again later.",
    ),
    (
        "978",
        "sql_database_unavailable sql_transient sql_login_failed_other",
        "The target database ('Sales') is in an availability group and is currently accessible for connections when the application intent is set to read only.",
    ),
    (
        "979",
        "sql_database_unavailable sql_transient",
        "The target database ('Sales') is in an availability group and currently does not allow read only connections.",
    ),
    (
        "981",
        "sql_database_unavailable sql_transient",
        "Unable to access database 'Sales' because no online secondary replicas are enabled for read-only access.",
    ),
    (
        "4061",
        "sql_login_failed_other sql_database_unavailable",
        'Cannot open either database "Sales" or "master", or any of the databases requested by the login. The login failed.',
    ),
    (
        "4063",
        "sql_login_failed_other sql_database_unavailable",
        'Cannot open database "Sales" that was requested by the login. Using the user default database "master" instead.',
    ),
    (
        "5061",
        "sql_transient",
        "ALTER DATABASE failed because a lock could not be placed on database 'Sales'. Try again later.",
    ),
    (
        "5064",
        "sql_database_unavailable",
        "Changes to the state or options of database 'Sales' cannot be made at this time.",
    ),
    ("10982", "sql_transient sql_database_unavailable", "Failed to run ADR recovery."),
    (
        "15007",
        "sql_user_missing sql_login_failed_other",
        "'app' is not a valid login or you do not have permission.",
    ),
    (
        "1088",
        "sql_permission_denied",
        'Cannot find the object "dbo.T" because it does not exist or you do not have permissions.',
    ),
    ("2571", "sql_permission_denied", "User 'app' does not have permission to run DBCC SHOWCONTIG."),
    (
        "4701",
        "sql_permission_denied",
        'Cannot find the object "T" because it does not exist or you do not have permissions.',
    ),
    (
        "41131",
        "sql_database_unavailable sql_transient",
        "Failed to bring availability group 'ag1' online. The operation timed out.",
    ),
    (
        "35250",
        "sql_database_unavailable",
        "The connection to the primary replica is not active. The command cannot be processed.",
    ),
    (
        "5120",
        "sql_database_unavailable",
        'Unable to open the physical file "C:\\x.mdf". Operating system error 5: "5(Access is denied.)".',
    ),
    (
        "823",
        "sql_database_unavailable",
        "The operating system returned error 21(The device is not ready.) to SQL Server during a read at offset 0x0 in file 'C:\\x.mdf'.",
    ),
    ("8628", "sql_transient", "A time out occurred while waiting to optimize the query. Rerun the query."),
    (
        "7416",
        "sql_login_failed_other role_or_assignment_missing bad_credentials",
        "Access to the remote server is denied because no login-mapping exists.",
    ),
]


def _first(text: str) -> str:
    return diagnose(read_text(text, BOOK))[0].cause.id


@pytest.mark.parametrize(("number", "causes", "message"), LISTED, ids=[row[0] for row in LISTED])
def test_a_message_is_read_without_its_number(number: str, causes: str, message: str) -> None:
    assert _first(message) in causes.split()


@pytest.mark.parametrize(("number", "causes", "message"), LISTED, ids=[row[0] for row in LISTED])
def test_a_number_is_read_without_its_message(number: str, causes: str, message: str) -> None:
    assert _first(f"Msg {number}, Level 16, State 1, Line 1") in causes.split()


@pytest.mark.parametrize(("number", "causes", "message"), LISTED, ids=[row[0] for row in LISTED])
def test_a_number_does_not_contradict_its_message(number: str, causes: str, message: str) -> None:
    assert _first(f"{message} (Microsoft SQL Server, Error: {number})") in causes.split()


@pytest.mark.parametrize(
    "reason",
    [
        "Password did not match that for the login provided. [CLIENT: 10.0.0.4]",
        "Attempting to use an NT account name with SQL Server Authentication.",
        "The login to SQL Azure DB failed due to empty password.",
    ],
)
def test_the_reason_after_a_refused_login_says_more_than_the_refusal(reason: str) -> None:
    assert _first(f"Login failed for user 'app'. Reason: {reason}") == "bad_credentials"


def test_a_gateway_that_is_only_spoken_of_is_not_called_offline() -> None:
    text = "Java Runtime Environment cannot be found on the Self-hosted Integration Runtime machine."
    assert _first(text) != "gateway_offline"


def test_a_phrase_does_not_begin_in_the_middle_of_a_word() -> None:
    text = "[DBNETLIB] [ConnectionOpen (Connect ()).]SQL Server does not exist or access denied."
    assert _first(text) == "network_or_tls"
