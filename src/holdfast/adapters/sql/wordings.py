"""SQL Server's error numbers by its words, for a driver that passes on the words only.

Sources: message texts of sys.messages as in sql-docs errors-events (English; Azure SQL answers in the language of the
login, us_english unless set otherwise).
"""

from __future__ import annotations

import re
from typing import Final

_SHAPES: Final = (
    (4060, r"Cannot open database \".*?\" requested by the login"),
    (40615, r"Cannot open server '.*?' requested by the login\. Client with IP address '"),
    (40532, r"Cannot open server \".*?\" requested by the login"),
    (40613, r"Database '.*?' on server '.*?' is not currently available"),
    (40197, r"The service has encountered an error processing your request"),
    (40501, r"The service is currently busy"),
    (40544, r"The database has reached its size quota"),
    (40510, r"Statement '.*?' is not supported in this version of SQL Server"),
    (40508, r"USE statement is not supported to switch between databases"),
    (40530, r"The .{1,60} statement must be the only statement in the batch"),
    (40635, r"Client with IP address '.*?' is temporarily blocked"),
    (47073, r"An instance-specific error occurred while establishing a connection.*Public Network Access"),
    (42108, r"Can not connect to the SQL pool since it is paused"),
    (49918, r"Cannot process request\. Not enough resources"),
    (10928, r"Resource ID ?: ?\d+\. The .{1,40} limit for the database is \d+ and has been reached"),
    (10929, r"Resource ID ?: ?\d+\. The .{1,40} minimum guarantee is"),
    (18470, r"Login failed for user '.*?'\. ?Reason: The account is disabled"),
    (18486, r"Login failed for user '.*?' because the account is currently locked out"),
    (18487, r"Login failed for user '.*?'\. +Reason: The password of the account has expired"),
    (18488, r"Login failed for user '.*?'\. +Reason: The password of the account must be changed"),
    (18452, r"Login failed\. The login is from an untrusted domain"),
    (18456, r"Login failed for user '"),
    (916, r"The server principal \".*?\" is not able to access the database"),
    (942, r"Database '.*?' cannot be opened because it is offline"),
    (911, r"Database '.*?' does not exist\. Make sure that the name is entered correctly"),
    (229, r"The \w[\w ]* permission was denied on the object '"),
    (230, r"The \w[\w ]* permission was denied on the column '"),
    (262, r"[\w ]+ permission denied in database '"),
    (297, r"The user does not have permission to perform this action"),
    (300, r"[\w ]+ permission was denied on object '.*?', database '"),
    (15247, r"User does not have permission to perform this action"),
    (15151, r"Cannot (?:find|alter|drop|add) the .{1,40} '.*?', because it does not exist or you do not have permission"),
    (15023, r"User, group, or role '.*?' already exists in the current database"),
    (33134, r"Principal '.*?' could not be resolved\. Error message: '"),
    (33130, r"Principal '.*?' could not be found or this principal type is not supported"),
    (33131, r"Principal '.*?' has a duplicate display name"),
    (33159, r"Principal '.*?' could not be created\. Only connections established with"),
    (37353, r"Server identity is not configured|Server identity does not have .{1,40}permissions"),
    (37545, r"'.*?' is not a valid object id for '.*?' or you do not have permission"),
    (33154, r"Client sent an invalid token when server was expecting federated authentication token"),
    (208, r"Invalid object name '"),
    (207, r"Invalid column name '"),
    (2812, r"Could not find stored procedure '"),
    (102, r"Incorrect syntax near '"),
    (156, r"Incorrect syntax near the keyword '"),
    (195, r"'.*?' is not a recognized built-in function name"),
    (515, r"Cannot insert the value NULL into column '"),
    (241, r"Conversion failed when converting date and/or time from character string"),
    (245, r"Conversion failed when converting the \w+ value '.*?' to data type"),
    (544, r"Cannot insert explicit value for identity column in table '"),
    (547, r"The \w+ statement conflicted with the .{1,40} constraint"),
    (2628, r"String or binary data would be truncated in table '"),
    (8152, r"String or binary data would be truncated\."),
    (8114, r"Error converting data type \w+ to \w+"),
    (8115, r"Arithmetic overflow error converting \w+ to data type"),
    (8134, r"Divide by zero error encountered"),
    (2627, r"Violation of \w+ KEY constraint"),
    (1222, r"Lock request time out period exceeded"),
    (1205, r"Transaction \(Process ID \d+\) was deadlocked"),
    (3902, r"The COMMIT TRANSACTION request has no corresponding BEGIN TRANSACTION"),
    (3903, r"The ROLLBACK TRANSACTION request has no corresponding BEGIN TRANSACTION"),
)  # fmt: skip
_NUMBERS: Final = tuple((number, re.compile(shape)) for number, shape in _SHAPES)
READ_AT_MOST: Final = 4000


def number_in(text: str) -> int | None:
    """The number of the most telling error among these words; None where none is known."""
    line = text[:READ_AT_MOST]
    return next((number for number, shape in _NUMBERS if shape.search(line)), None)
