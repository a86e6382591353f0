"""Errors of SQL Server with their numbers and words.

Wording: SQL Server's own message texts (sql-docs, errors-events; numbers in ``fixtures/sql/errors.csv``). Nothing here
was recorded through the connector.
"""

from __future__ import annotations


class SqlError(Exception):
    """A refusal of the server.

    Attributes:
        number: 0 where the server was not reached.
        severity: the class: 14 for permissions, 16 for statements, 20 for lost connections.
        line: of the batch, counted from 1.
        ends_batch: nothing more of the batch runs, whatever the number.
    """

    line = 1
    ends_batch = False

    def __init__(self, number: int, message: str, severity: int = 16, state: int = 1) -> None:
        super().__init__(message)
        self.number, self.message, self.severity, self.state = number, message, severity, state


def no_server(server: str) -> SqlError:
    """The name leads nowhere."""
    return SqlError(
        53,
        "A network-related or instance-specific error occurred while establishing a connection to SQL Server. "
        "The server was not found or was not accessible. Verify that the instance name is correct and that SQL "
        f"Server is configured to allow remote connections. (provider: TCP Provider, error: 0 - No such host is known.) [{server}]",
        20,
    )


def firewall(server: str, address: str) -> SqlError:
    """The server's firewall."""
    return SqlError(
        40615,
        f"Cannot open server '{server.partition('.')[0]}' requested by the login. Client with IP address '{address}' is not "
        "allowed to access the server. To enable access, use the Azure Management Portal or run sp_set_firewall_rule on "
        "the master database to create a firewall rule for this IP address or address range. It may take up to five "
        "minutes for this change to take effect.",
        14,
    )


def login_failed(name: str, state: int = 1) -> SqlError:
    """A login, or a token, that the server does not take."""
    return SqlError(18456, f"Login failed for user '{name}'.", 14, state)


def login_disabled(name: str) -> SqlError:
    """A disabled login."""
    return SqlError(18470, f"Login failed for user '{name}'. Reason: The account is disabled.", 14)


def login_locked(name: str) -> SqlError:
    """A login that is locked out."""
    return SqlError(
        18486,
        f"Login failed for user '{name}' because the account is currently locked out. The system administrator can "
        "unlock it.",
        14,
    )


def password_expired(name: str) -> SqlError:
    """A login whose password is too old."""
    return SqlError(
        18487, f"Login failed for user '{name}'.  Reason: The password of the account has expired.", 14
    )


def no_database(database: str) -> SqlError:
    """A database that does not exist, or that the login may not open."""
    return SqlError(4060, f'Cannot open database "{database}" requested by the login. The login failed.', 11)


def not_available(server: str, database: str) -> SqlError:
    """A database that is asleep, or moving."""
    return SqlError(
        40613,
        f"Database '{database}' on server '{server.partition('.')[0]}' is not currently available. Please retry the "
        "connection later. If the problem persists, contact customer support, and provide them the session tracing ID.",
        17,
    )


def troubled(number: int, server: str, database: str) -> SqlError:
    """A passing fault; `number` is one of `TROUBLES`."""
    text = TROUBLES[number].format(server=server.partition(".")[0], database=database)
    return SqlError(number, text, 20 if number == 40501 else 17 if number == 40197 else 16)


TROUBLES = {
    10928: "Resource ID : 1. The request limit for the database is 30 and has been reached. See "
    "'https://go.microsoft.com/fwlink/?LinkId=267637' for assistance.",
    10929: "Resource ID: 1. The request minimum guarantee is 0, maximum limit is 30, and the current usage for the database "
    "is 30. However, the server is currently too busy to support requests greater than 30 for this database. For more "
    "information, see https://go.microsoft.com/fwlink/?LinkId=267637. Otherwise, please try again later.",
    40197: "The service has encountered an error processing your request. Please try again. Error code 40166.",
    40501: "The service is currently busy. Retry the request after 10 seconds. Incident ID: "
    "{{5F4D2C1B-0000-0000-0000-000000000000}}. Code: 0.",
    40613: "Database '{database}' on server '{server}' is not currently available. Please retry the connection later. If "
    "the problem persists, contact customer support, and provide them the session tracing ID.",
    49918: "Cannot process request. Not enough resources to process request. Please retry you request later.",
}
"""Passing faults by number. Source: azure-sql/database/troubleshoot-common-errors-issues."""

THROTTLING = frozenset({10928, 10929, 40501, 49918})
"""Those of them that mean too much was asked."""


def offline(database: str) -> SqlError:
    """A database that was taken offline."""
    return SqlError(942, f"Database '{database}' cannot be opened because it is offline.", 14)


def denied(permission: str, obj: str, database: str, schema: str) -> SqlError:
    """A permission on an object is missing."""
    return SqlError(
        229,
        f"The {permission} permission was denied on the object '{obj}', database '{database}', schema '{schema}'.",
        14,
        5,
    )


def invalid_object(name: str) -> SqlError:
    """No such table or view."""
    return SqlError(208, f"Invalid object name '{name}'.")


def invalid_column(name: str) -> SqlError:
    """No such column."""
    return SqlError(207, f"Invalid column name '{name}'.")


def no_procedure(name: str) -> SqlError:
    """No such procedure."""
    return SqlError(2812, f"Could not find stored procedure '{name}'.", 16, 62)


def missing_parameter(procedure: str, name: str) -> SqlError:
    """A parameter without default was not given."""
    return SqlError(
        201,
        f"Procedure or function '{procedure}' expects parameter '@{name}', which was not supplied.",
        16,
        4,
    )


def unknown_parameter(procedure: str, name: str) -> SqlError:
    """A parameter that the procedure does not have."""
    return SqlError(8145, f"@{name} is not a parameter for procedure {procedure}.", 16, 2)


def syntax(near: str) -> SqlError:
    """A text that is no T-SQL, or none that the sandbox can read."""
    return SqlError(102, f"Incorrect syntax near '{near}'.", 15)


def not_supported(what: str) -> SqlError:
    """A statement that exists and that the sandbox does not play."""
    return SqlError(40510, f"Statement '{what}' is not supported in this version of SQL Server.", 16)


def duplicate_key(table: str) -> SqlError:
    """A row with that key is there already."""
    return SqlError(
        2627, f"Violation of PRIMARY KEY constraint. Cannot insert duplicate key in object '{table}'.", 14
    )


def no_null(column: str, table: str) -> SqlError:
    """A column without a value that must have one."""
    return SqlError(
        515,
        f"Cannot insert the value NULL into column '{column}', table '{table}'; column does not allow nulls. INSERT fails.",
    )


def no_name() -> SqlError:
    """1038."""
    return SqlError(
        1038,
        "An object or column name is missing or empty. For SELECT INTO statements, verify each column has a name. For other"
        ' statements, look for empty alias names. Aliases defined as "" or [] are not allowed. Change the alias to a'
        " valid name.",
        15,
        4,
    )


def truncated(table: str, column: str) -> SqlError:
    """2628."""
    return SqlError(2628, f"String or binary data would be truncated in table '{table}', column '{column}'.")


def explicit_identity(table: str) -> SqlError:
    """544."""
    return SqlError(
        544,
        f"Cannot insert explicit value for identity column in table '{table}' when IDENTITY_INSERT is set to OFF.",
    )


def wrong_permission(permission: str) -> SqlError:
    """A permission that its securable does not have."""
    return SqlError(4606, f"Granted or revoked privilege {permission} is not compatible with object.")


def cannot(verb: str, what: str, name: str) -> SqlError:
    """Something is missing, or not to be seen: the server does not say which."""
    return SqlError(
        15151, f"Cannot {verb} the {what} '{name}', because it does not exist or you do not have permission."
    )


def principal_exists(name: str) -> SqlError:
    """A user or role of that name is there."""
    return SqlError(15023, f"User, group, or role '{name}' already exists in the current database.")


def no_permission() -> SqlError:
    """The caller may not do this."""
    return SqlError(15247, "User does not have permission to perform this action.")


def special_principal(name: str) -> SqlError:
    """dbo, guest and the like."""
    return SqlError(15405, f"Cannot use the special principal '{name}'.")


def needs_entra_session(name: str) -> SqlError:
    """A SQL login wants a user looked up in the directory."""
    return SqlError(
        33159,
        f"Principal '{name}' could not be created. Only connections established with Active Directory accounts can create "
        "other Active Directory users.",
    )


def external_not_found(name: str) -> SqlError:
    """The directory knows nobody of that name."""
    return SqlError(33130, f"Principal '{name}' could not be found or this principal type is not supported.")


def duplicate_display_name(name: str) -> SqlError:
    """The directory knows several of that name."""
    return SqlError(
        33131,
        f"Principal '{name}' has a duplicate display name. Make the display name unique in Azure Active Directory and "
        "execute this statement again.",
    )


def no_server_identity(name: str) -> SqlError:
    """A service principal asks for a look-up, and the server has no identity to do it with."""
    return SqlError(
        33134,
        f"Principal '{name}' could not be resolved. Error message: 'Server identity is not configured. Please follow the "
        'steps in "Assign an Azure AD identity to your server and add Directory Reader permission to your identity" '
        "(https://aka.ms/sqlaadsetup)'",
    )


def identity_reads_nothing() -> SqlError:
    """The server's identity may not read the directory."""
    return SqlError(
        37353,
        "Server identity does not have Azure Active Directory Readers permission. Please follow the steps here : "
        "https://docs.microsoft.com/en-us/azure/azure-sql/database/authentication-aad-service-principal",
    )


def wrong_object_id(object_id: str, name: str) -> SqlError:
    """OBJECT_ID names nobody, or the app registration."""
    return SqlError(
        37545, f"'{object_id}' is not a valid object id for '{name}' or you do not have permission."
    )


def wrong_user_options(number: int) -> SqlError:
    """Clauses of CREATE USER that do not go together: 33162, 33163, 33168, 33169, 33170."""
    others = (
        "cannot be used along with FOR/FROM LOGIN, CERTIFICATE, ASYMMETRIC KEY, EXTERNAL PROVIDER, WITHOUT LOGIN or WITH "
        "PASSWORD, in this version of SQL Server."
    )
    texts = {
        33162: "TYPE and SID options have to be used along with each other, in this version of SQL Server.",
        33163: "The value specified for TYPE option is not supported in this version of SQL Server. Allowed values are E "
        "(EXTERNAL_USER) and X (EXTERNAL_GROUP)",
        33168: f"TYPE option {others}",
        33169: "User name cannot have backslash character, when using the TYPE option.",
        33170: f"SID option {others}",
    }
    return SqlError(number, texts[number])


def not_in_context(name: str, database: str) -> SqlError:
    """A principal whose user was dropped, or denied CONNECT, while it was logged in."""
    return SqlError(
        916,
        f'The server principal "{name}" is not able to access the database "{database}" under the current security context.',
        14,
    )


def has_triggers(table: str) -> SqlError:
    """OUTPUT without INTO, as the connector writes it, on a table with a trigger."""
    return SqlError(
        334,
        f"The target table '{table}' of the DML statement cannot have any enabled triggers if the statement contains an "
        "OUTPUT clause without INTO clause.",
    )


def locked() -> SqlError:
    """Another session's transaction has written the table. Here nobody waits for it."""
    return SqlError(1222, "Lock request time out period exceeded.", 16, 45)
