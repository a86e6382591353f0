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
    " or LOGINPROPERTY through a SQL administrator's identity (`holdfast show ID --ask-sql`), would."
)
NO_APPLICATION_NAMED: Final = "The platform does not name the application whose credential it holds."
NOBODY_RENEWS: Final = "Nobody renews it before."
NO_LAST_CHANGE: Final = (
    "Nothing tells when that was: for a Windows account the synced account of its name would, for a SQL login"
    " LOGINPROPERTY through a SQL administrator's identity."
)
IMPORTED_DATE: Final = "The imported table of passwords says so."
IMPORTED_AGE: Final = (
    "The imported table of passwords tells its age, the directory the last password change of the synced account"
    " (that the login is that account is told by its name alone)."
)
NOBODY_CHANGES_IT: Final = "Nobody changes the password before, nor is it set never to expire."
REMEMBERED_FACTOR: Final = (
    "A policy asks for a second factor and the setting remember_mfa says how long the tenant remembers one; a sign-in"
    " that works carries such a proof (documented: below 90 days it shortens the life of tokens)."
)
TERMS_RECUR: Final = (
    "A policy asks to accept terms of use and the setting terms_of_use says how often that comes round."
)
SIGNED_IN_WHEN: Final = "When its owner last signed in lies between when it was made and when it was last changed, which is too wide."
OWNER_SIGN_IN: Final = (
    "The owner's newest sign-in for a SQL connection is this one's: no other of the owner's connections that were seen can have"
    " made it, though one that was deleted since might (that the platform refreshes under the name of Azure API Connections is assumed)."
)
OWNER_SIGN_IN_REACH: Final = "Sign-ins of the last 30 days at most; a row may appear a day late."
LOGINPROPERTY_DATE: Final = "SQL Server said so when it was asked (LOGINPROPERTY tells whole days); a password that was set since lives longer."
LOGINPROPERTY_AGE: Final = "The imported table of passwords tells its age, SQL Server by LOGINPROPERTY when the password was last set."

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
    NO_LAST_CHANGE,
    IMPORTED_DATE,
    IMPORTED_AGE,
    NOBODY_CHANGES_IT,
    REMEMBERED_FACTOR,
    TERMS_RECUR,
    SIGNED_IN_WHEN,
    OWNER_SIGN_IN,
    OWNER_SIGN_IN_REACH,
    LOGINPROPERTY_DATE,
    LOGINPROPERTY_AGE,
)
