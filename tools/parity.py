"""The parity page: every rule of the sandbox with its support and source, and what is absent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MEANINGS = {
    "recorded": "seen in an answer recorded from a real tenant",
    "documented": "stated by Microsoft's documentation",
    "code": "what a shipped client sends, reads or waits for",
    "secondary": "stated by one public source besides",
    "assumed": "inferred by us; nobody recorded it. Most of these can be flipped: `holdfast sandbox rules --flip RULE`",
    "absent": "the cloud does it, the sandbox does not",
}
ABSENT = (
    "the password grant (`grant_type=password`), on-behalf-of, the v1.0 token endpoint, SAML",
    "continuous access evaluation: an access token works until its own end",
    "groups, directory roles and their assignments (`roleManagement`; app role assignments are there), administrative units, guests from other tenants, federated domains, risk",
    "connectors other than SQL: their actions succeed and do nothing",
    "managed solutions (the `deploy_solution` event stands for them) and exports, Microsoft Purview",
    "of Key Vault: keys, certificates, backups, access policies, network rules, a second vault",
    "of TDS: version 8.0 (strict encryption), MARS, bulk copy, server cursors, table-valued parameters, `sql_variant` and CLR types,"
    " save points, distributed transactions, session recovery, Windows sign-in, redirection to another port",
    "of T-SQL: tables, views, procedures and schemas made by statements (scenarios declare them), column grants, certificates and"
    " keys, GRANT … AS, application roles, WHILE, cursors, temporary tables and table variables, MERGE, SELECT INTO, FOR JSON and FOR XML, UPDATE and DELETE of an alias, `inserted` and `deleted` in"
    " triggers, OUTPUT parameters; EXECUTE AS ends with its batch; nobody waits for a lock (1222 at once), and others read what a"
    " transaction has not committed",
    "of T-SQL's functions and types: most functions (an unknown one is refused with 195), overflow of int in sums, decimal"
    " arithmetic beyond a float's 15 digits (values in and out are exact), the seventh digit of a second, the length of `char`,"
    " `xml`, other collations than the usual one; of the server's views: the columns and views that deployment and drivers ask"
    " for, no more (`sys.columns` tells no types); ERROR_NUMBER() and its kin in CATCH",
    "an Attention that stops a statement: each runs to its end before the next byte is read",
)


def page() -> str:
    """The page as Markdown."""
    from holdfast.sandbox import believed

    rules = list(believed())
    lines = [
        "# What the sandbox knows, and what it assumes",
        "",
        "Every belief of the sandbox about the cloud, made from its code by `make docs`; `holdfast sandbox rules` prints the same.",
        "",
        "| Support | Meaning | Rules |",
        "| --- | --- | --- |",
    ]
    for mark, meaning in MEANINGS.items():
        lines.append(f"| {mark} | {meaning} | {sum(rule['mark'] == mark for rule in rules)} |")
    for mark in MEANINGS:
        mine = [rule for rule in rules if rule["mark"] == mark]
        if mine:
            lines += ["", f"## {mark.capitalize()}", "", *_table(mine)]
    lines += ["", "## Absent altogether", "", *(f"- {one}" for one in ABSENT)]
    return "\n".join(lines) + "\n"


def _table(rules: Iterable[dict[str, Any]]) -> list[str]:
    lines = ["| Rule | In the sandbox | Source |", "| --- | --- | --- |"]
    for rule in rules:
        otherwise = f" *Flipped:* {rule['flipped']}" if rule["flipped"] else ""
        cells = (f"`{rule['id']}`", f"{rule['says']}{otherwise}", rule["source"])
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines
