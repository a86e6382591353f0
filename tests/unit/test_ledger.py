"""What holds for every call of the ledger."""

import pytest

from holdfast.adapters.cloud.hosts import AUDIENCES
from holdfast.core.identity import Role
from holdfast.wire.ledger import CALLS, Call, is_declared

ASKS = ("entra.token", "powerapps.connections.consent_link")
"""POSTs that change nothing."""


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_call_takes_a_token_of_its_host(call: Call):
    assert call.audience is AUDIENCES[call.host]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_call_that_only_reads_may_be_repeated(call: Call):
    assert call.is_idempotent or call.writes
    assert call.method == "GET" or call.writes or call.id in ASKS


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_the_names_in_a_call_are_words(call: Call):
    assert all(name.isidentifier() for name in call.names)


def test_no_two_calls_have_one_id():
    assert len({call.id for call in CALLS}) == len(CALLS)


def test_a_copy_of_an_entry_is_not_in_the_ledger():
    import dataclasses

    assert is_declared(CALLS[0])
    assert not is_declared(dataclasses.replace(CALLS[0], path="/elsewhere"))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_call_is_made_by_roles_that_there_are(call: Call):
    assert call.roles
    assert set(call.roles) <= {*Role, "maker"}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_permission_is_of_a_known_kind(call: Call):
    kind, _, name = call.permission.partition("/")

    assert (kind, bool(name)) in {
        ("", False),
        ("graph", True),
        ("environment", True),
        ("power-platform", True),
    }


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.id)
def test_a_graph_permission_is_what_a_refusal_lacks(call: Call):
    kind, _, name = call.permission.partition("/")

    assert kind != "graph" or call.needs == name
