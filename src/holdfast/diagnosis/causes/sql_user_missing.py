"""The sign-in is good, but the database has no user for it.

What you see: "Login failed for user '<token-identified principal>'", or "The server principal is not able to access the database".
Why: a contained user exists per database. The identity has none in the database that is opened; often the connection
    opens master because no database was named.
How we know: error 916; error 18456 with <token-identified principal>; state 5 of 18456 in the server's log.
What to do: name the database in the connection. Then create the user there, as the server's Entra administrator:
        CREATE USER [name] FROM EXTERNAL PROVIDER;
        ALTER ROLE db_datareader ADD MEMBER [name];
    For an application, compare its client id with the user's id, because equal names prove nothing:
        SELECT CAST(sid AS uniqueidentifier) FROM sys.database_principals WHERE name = 'name';
What will not help: a new secret or sign-in. The token was accepted.
Source: learn.microsoft.com/azure/azure-sql/database/authentication-aad-service-principal, read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable

from holdfast.core.evidence import Evidence
from holdfast.core.verdict import Cause, Verdict
from holdfast.diagnosis.remedies import CREATE_SQL_USER, NAME_THE_DATABASE
from holdfast.diagnosis.weighing import weigh

CAUSE = Cause("sql_user_missing", "No database user")
REMEDIES = (CREATE_SQL_USER, NAME_THE_DATABASE)


def explain(evidence: Iterable[Evidence]) -> Verdict | None:
    """The verdict, if the evidence shows this cause; None if it says nothing."""
    return weigh(CAUSE, evidence, REMEDIES)
