"""The sentences on which dates stand, said often and kept once.

History keeps a sentence of this list by its number. The numbers are for ever: a better wording may replace a
sentence, a new one goes to the end.
"""

from __future__ import annotations

from typing import Final

EXPIRATION_TIME: Final = (
    "The platform's expirationTime is the expiry of the cached access token, so the last refresh lies 60 to 90"
    " minutes before it (assumed; so on all 10 recorded connections that show it)."
)
LONG_LIFE: Final = (
    "The cached access token lives longer than 90 minutes, as with continuous access evaluation (documented: up"
    " to 28 hours)."
)
EXPIRY_MOVES: Final = (
    "The expiry moves only when the token is refreshed (assumed; so on every recorded connection)."
)
EXPIRY_REACH: Final = "The last refresh, however long ago; nothing before it."
LOOKS_REACH: Final = "Refreshes between two of our own scans; as sharp as scans are frequent."
IDLE_RULE: Final = (
    "A sign-in that is not used for 90 days expires, and each refresh starts the 90 days anew (documented)."
)
NO_WITNESS: Final = (
    "The platform names no expirationTime for it, so nothing tells when it was last used; its next use, or the"
    " owner's sign-in log, would."
)
NO_DIRECTORY: Final = "The directory could not be read; Application.Read.All for the reader would tell."
NO_LOGIN_DATE: Final = (
    "Nothing that was read tells when this password expires or whether it does; an imported table of passwords,"
    " or LOGINPROPERTY through a SQL administrator's identity, would."
)
NO_APPLICATION_NAMED: Final = "The platform does not name the application whose credential it holds."
NOBODY_RENEWS: Final = "Nobody renews it before."

NUMBERED: Final[tuple[str, ...]] = (
    EXPIRATION_TIME,
    LONG_LIFE,
    EXPIRY_MOVES,
    EXPIRY_REACH,
    LOOKS_REACH,
    IDLE_RULE,
    NO_WITNESS,
    NO_DIRECTORY,
    NO_LOGIN_DATE,
    NO_APPLICATION_NAMED,
    NOBODY_RENEWS,
)
