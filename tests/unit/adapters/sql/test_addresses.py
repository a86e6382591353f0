"""Which servers a token may be shown to."""

import pytest

from holdfast.adapters.cloud.hosts import TABLES
from holdfast.adapters.sql.addresses import Address, SqlAddresses
from holdfast.core.errors import RefusedError
from holdfast.core.identity import Cloud
from holdfast.core.sql import SqlPlace
from holdfast.wire.ledger import SQL_PROBE

GOOD = {
    "sql-contoso.database.windows.net": Address("sql-contoso.database.windows.net", 1433),
    "TCP:SQL-Contoso.Database.Windows.net,1433": Address("sql-contoso.database.windows.net", 1433),
    "mi.public.abc.database.windows.net,3342": Address("mi.public.abc.database.windows.net", 3342),
}


@pytest.mark.parametrize(("server", "address"), GOOD.items())
def test_a_server_of_the_cloud_is_reached_at_its_name(server, address):
    assert SqlAddresses(TABLES[Cloud.PUBLIC]).of(SqlPlace(server, "erp"), SQL_PROBE) == address


BAD = (
    "sql.example.com",
    "database.windows.net",
    "sql-contoso.database.windows.net.example.com",
    "sql-contoso.database.windows.net;Encrypt=no",
    "sql-contoso.database.windows.net,port",
    "sql-contoso.database.chinacloudapi.cn",
    "localhost",
    "",
    "plant\\sql2019",
)


@pytest.mark.parametrize("server", BAD)
def test_any_other_is_refused(server):
    with pytest.raises(RefusedError, match="no SQL server of this cloud"):
        SqlAddresses(TABLES[Cloud.PUBLIC]).of(SqlPlace(server, "erp"), SQL_PROBE)


def test_leave_opens_other_hosts():
    addresses = SqlAddresses(TABLES[Cloud.PUBLIC], allow_custom_hosts=True)

    assert addresses.of(SqlPlace("sql.example.com", "erp"), SQL_PROBE) == ("sql.example.com", 1433)


def test_a_pretended_tenant_has_its_own_addresses():
    addresses = SqlAddresses(
        TABLES[Cloud.PUBLIC], {"": Address("localhost", 5), "sql-other": Address("localhost", 6)}
    )

    assert addresses.of(SqlPlace("sql-contoso.database.windows.net", "erp"), SQL_PROBE) == ("localhost", 5)
    assert addresses.of(SqlPlace("SQL-other,1433", "erp"), SQL_PROBE) == ("localhost", 6)
    assert not addresses.admits("sql-contoso.database.windows.net")


@pytest.mark.parametrize("cloud", Cloud)
def test_every_cloud_has_its_own_servers(cloud):
    scope = next(url for audience, url in TABLES[cloud].scopes.items() if audience == "database")
    host = "sql-contoso." + scope.removeprefix("https://").removesuffix("/.default")

    assert SqlAddresses(TABLES[cloud]).admits(host)
