"""Tokens go to their own hosts."""

import pytest

from holdfast.adapters.cloud.hosts import TABLES, HostTable, host_table
from holdfast.core.errors import SettingsError
from holdfast.core.identity import Cloud
from holdfast.wire.ledger import Audience, HostKind

SANDBOX = {
    "authority": "https://localhost:7001",
    "powerapps": "https://localhost:7002",
    "bap": "https://localhost:7003",
}


@pytest.mark.parametrize(
    ("audience", "host"),
    [
        (Audience.POWERAPPS, "api.powerapps.com"),
        (Audience.POWERAPPS, "europe.api.powerapps.com"),
        (Audience.POWERAPPS, "unitedstates.api.bap.microsoft.com"),
        (Audience.POWERPLATFORM, "0000000000000000000000000000.11.environment.api.powerplatform.com"),
        (Audience.DATAVERSE, "contoso.api.crm4.dynamics.com"),
        (Audience.GRAPH, "graph.microsoft.com"),
        (Audience.SIGNED, "prod-12.westeurope.logic.azure.com"),
    ],
)
def test_a_token_goes_to_its_hosts(audience, host):
    assert TABLES[Cloud.PUBLIC].admits(audience, host)


@pytest.mark.parametrize(
    ("audience", "host"),
    [
        (Audience.POWERAPPS, "graph.microsoft.com"),
        (Audience.POWERAPPS, "api.powerapps.com.evil.example"),
        (Audience.POWERAPPS, "evil-api.powerapps.com"),
        (Audience.POWERAPPS, "api.powerapps.com:8443"),
        (Audience.POWERAPPS, "gov.api.powerapps.us"),
        (Audience.POWERPLATFORM, ".api.powerplatform.com"),
        (Audience.DATAVERSE, "dynamics.com"),
        (Audience.GRAPH, "api.graph.microsoft.com"),
        (Audience.NONE, "login.microsoftonline.us"),
        (Audience.GRAPH, None),
    ],
)
def test_a_token_goes_nowhere_else(audience, host):
    assert not TABLES[Cloud.PUBLIC].admits(audience, host)


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_every_address_of_a_cloud_is_on_its_own_list(table: HostTable):
    from holdfast.adapters.cloud.hosts import AUDIENCES

    assert all(
        table.admits(AUDIENCES[kind], url.removeprefix("https://")) for kind, url in table.bases.items()
    )


def test_every_cloud_that_can_be_set_has_its_hosts():
    assert set(TABLES) == set(Cloud)


def test_a_regional_host_needs_no_leave():
    table = host_table(Cloud.PUBLIC, {"powerapps": "https://europe.api.powerapps.com"})

    assert table.bases[HostKind.POWERAPPS] == "https://europe.api.powerapps.com"
    assert not table.is_custom


def test_a_foreign_host_needs_leave():
    with pytest.raises(SettingsError, match="allow_custom_hosts"):
        host_table(Cloud.PUBLIC, SANDBOX)


def test_tokens_of_a_pretended_tenant_cannot_reach_the_real_cloud():
    table = host_table(Cloud.PUBLIC, SANDBOX, ["https://*.localhost:7004"], allow_custom_hosts=True)

    assert table.admits(Audience.POWERAPPS, "localhost:7002")
    assert table.admits(Audience.POWERAPPS, "localhost:7003")
    assert table.admits(Audience.DATAVERSE, "org1.localhost:7004")
    assert not table.admits(Audience.POWERAPPS, "api.powerapps.com")
    assert not table.admits(Audience.NONE, "login.microsoftonline.com")
    assert not table.admits(Audience.DATAVERSE, "contoso.crm4.dynamics.com")
    assert table.admits(Audience.SIGNED, "localhost:7009")
    assert not table.admits(Audience.SIGNED, "prod-12.westeurope.logic.azure.com")
    assert table.is_custom


@pytest.mark.parametrize(
    "hosts",
    [
        {"powerapp": "https://api.powerapps.com"},
        {"powerapps": "http://api.powerapps.com"},
        {"powerapps": "api.powerapps.com"},
        {"powerapps": "https://user:word@api.powerapps.com"},
        {"powerapps": "https://api.powerapps.com:http"},
        {"dataverse": "https://contoso.crm.dynamics.com"},
        {"links": "https://prod-12.westeurope.logic.azure.com"},
    ],
)
def test_a_host_that_cannot_be_meant_is_refused(hosts):
    with pytest.raises(SettingsError):
        host_table(Cloud.PUBLIC, hosts, allow_custom_hosts=True)
