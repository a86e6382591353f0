"""What a flow does in SQL Server, as its definition says."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class QueryForm(StrEnum):
    """How much of a native query is only known at run time."""

    NO = "no"  # nothing
    VALUES = "values"  # only values; every object is literal
    WHOLE = "whole"  # the query itself, or which objects it names


@dataclass(frozen=True, slots=True)
class SqlOperation:
    """One action or trigger on a SQL connector.

    Attributes:
        path: action names from the root joined by "/"; containers count, branches do not.
        kind: "action" or "trigger".
        connector: "shared_sql", "shared_sqldw" in Power Automate; "sql", "sqldw" in Logic Apps.
        connection_key: key into the definition's connection references, as written.
        reference: logical name of the connection reference; None where the definition has none.
        runtime_source: "embedded" or "invoker"; None where the definition does not say.
        operation: operation id of the connector; None where its path is none that the connector has.
        api_version: "v1", "v2" or "serviceprovider".
        server: literal, also "default"; None where dynamic or not said. `database` likewise.
        object: table, view or procedure as written; None where dynamic, empty or a native query.
        object_expression: the expression that gives the object at run time.
        query: of a native query, as written; None for other operations.
        reads: objects as written, each once; `writes` and `executes` likewise.
        changes: of a native query, what each of `writes` needs: INSERT, UPDATE or DELETE, and SELECT where the same
            statement looks at the object as well.
        ddl: statements that need more than rights on objects.
        needs_human: something of the above cannot be decided from the definition.
    """

    path: str
    kind: str
    connector: str
    connection_key: str | None = None
    reference: str | None = None
    runtime_source: str | None = None
    operation: str | None = None
    api_version: str = "v2"
    server: str | None = None
    server_dynamic: bool = False
    database: str | None = None
    database_dynamic: bool = False
    object: str | None = None
    object_dynamic: bool = False
    object_expression: str | None = None
    query: str | None = None
    query_dynamic: QueryForm | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    executes: tuple[str, ...] = ()
    changes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    ddl: tuple[str, ...] = ()
    needs_human: bool = False
