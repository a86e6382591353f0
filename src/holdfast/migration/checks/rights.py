"""Which rights its flows need, and where."""

from __future__ import annotations

from holdfast.migration.case import Case, Finding


def has_decided_rights(case: Case) -> Finding | None:
    """Rights that no rule decides are decided by a person."""
    decisions = [decision for one in case.grants for decision in one.decisions]
    if not decisions or case.roles:
        return None
    first = decisions[0]
    more = f" (and {len(decisions) - 1} more)" if len(decisions) > 1 else ""
    says = (
        f"{first.action}: {first.sentence}{more}. A person decides: --grant-role ROLE, or --accept"
        " rights=NAME:REASON and grant by hand."
    )
    return Finding("rights", says)


def has_a_place(case: Case) -> Finding | None:
    """Somebody has to be granted something somewhere."""
    for one in case.grants:
        if (one.place.server is None or one.place.database is None) and not one.decisions:
            return Finding("place", "Which server and database its flows use is not told.", not_seen=True)
    if not any(one.place.server and one.place.database for one in case.grants):
        return Finding("place", "No flow tells a server and database in plain words.", not_seen=True)
    return None
