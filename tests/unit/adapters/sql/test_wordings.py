"""SQL Server's words → its numbers, where the driver gives none."""

import pytest

from holdfast.adapters.sql.wordings import number_in
from holdfast.sandbox.sql import errors

SAID = {
    18456: "Login failed for user '<token-identified principal>'.",
    18487: "Login failed for user 'app'.  Reason: The password of the account has expired.",
    4060: "Cannot open database \"erp\" requested by the login. The login failed. Login failed for user 'app'.",
    229: "The EXECUTE permission was denied on the object 'PostTotals', database 'erp', schema 'dbo'.",
    262: "CREATE TABLE permission denied in database 'erp'.",
    15151: "Cannot find the object 'Orders', because it does not exist or you do not have permission.",
    33134: "Principal 'app' could not be resolved. Error message: 'Server identity is not configured.'",
    208: "Invalid object name 'dbo.Nothing'.",
    None: "Something that nobody wrote down.",
}


@pytest.mark.parametrize(("number", "text"), SAID.items(), ids=map(str, SAID))
def test_words_have_their_number(number, text):
    assert number_in(text) == number


SANDBOX = (
    errors.firewall("sql-contoso.database.windows.net", "127.0.0.1"),
    errors.login_disabled("app"),
    errors.not_available("sql-contoso.database.windows.net", "erp"),
    errors.offline("erp"),
    errors.no_procedure("dbo.Nothing"),
    errors.invalid_column("Nothing"),
    errors.duplicate_key("dbo.Orders"),
)


@pytest.mark.parametrize("error", SANDBOX, ids=lambda error: str(error.number))
def test_what_the_sandbox_says_is_known(error):
    assert number_in(error.message) == error.number


def test_a_hostile_text_is_read_quickly():
    assert number_in("The " + "permission " * 500_000) is None
