"""Names that vaults take, and what a challenge may not talk us into."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters.cloud.sources import Grant
from holdfast.adapters.cloud.vault import VaultTokens
from holdfast.adapters.secrets.key_vault import name_of, vault_name
from holdfast.core.errors import SecretStoreError, SettingsError, UnfamiliarError
from tests.fakes.clock import StillClock

TENANT = "11111111-1111-1111-1111-111111111111"
SCOPE = "https://vault.azure.net/.default"


@given(st.text(max_size=30))
def test_a_name_comes_back_from_the_vault(name):
    try:
        made = vault_name(name)
    except SecretStoreError:
        return

    assert made.isascii()
    assert made == made.lower()
    assert set(made) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name_of(made) == name


def test_the_names_that_holdfast_makes_fit():
    id = "0" * 8 + "-0000" * 3 + "-" + "0" * 12

    for name in (f"app/{id}/{id}", f"sign-in/{id}/app_admin", f"flow/{'a' * 24}/{id}"):
        assert name_of(vault_name(name)) == name


@pytest.mark.parametrize(
    "made", ["tokens", "holdfast-Tokens", "holdfast-a-zz", "holdfast--", "holdfast-a-e4"]
)
def test_names_of_others_are_none_of_ours(made):
    assert name_of(made) is None or vault_name(str(name_of(made))) == made


class Tokens:
    """A source that counts."""

    def __init__(self) -> None:
        self.renewed = 0

    def acquire(self, scope: str) -> Grant:
        return Grant(f"token {self.renewed}", 3600)

    def renew(self) -> None:
        self.renewed += 1


@pytest.fixture
def tokens() -> VaultTokens:
    return VaultTokens(Tokens(), SCOPE, TENANT, StillClock(datetime(2026, 3, 4, tzinfo=UTC)))


def test_a_token_is_given_for_vaults_of_this_tenant(tokens):
    given = tokens.get_token(SCOPE, tenant_id=TENANT.upper(), enable_cae=True)

    assert (given.token, given.expires_on) == (
        "token 0",
        int(datetime(2026, 3, 4, 1, tzinfo=UTC).timestamp()),
    )


def test_a_token_that_the_vault_refused_is_not_given_again(tokens):
    assert tokens.get_token(SCOPE).token != tokens.get_token(SCOPE).token


def test_a_challenge_gets_no_token_for_something_else(tokens):
    with pytest.raises(UnfamiliarError, match=r"graph\.microsoft\.com"):
        tokens.get_token("https://graph.microsoft.com/.default")


def test_a_vault_of_another_tenant_is_said(tokens):
    with pytest.raises(SettingsError, match=r"secrets\.vault\.tenant"):
        tokens.get_token(SCOPE, tenant_id="22222222-2222-2222-2222-222222222222")
