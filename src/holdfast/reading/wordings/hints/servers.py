"""Gateways, SQL Server, the network and services."""

from __future__ import annotations

from typing import Final

from holdfast.reading.wordings.hints.pair import FAILS, NOT, Pair, clear, loose

SERVERS: Final[tuple[Pair, ...]] = (
    # gateways
    clear(
        "a gateway that does not answer",
        "gateway_offline network_or_tls",
        "gateway gateways shir opdg",
        "offline unreachable online reach available unavailable down running stopped respond responding isn't unresponsive disconnected"
        " switched asleep",
        0.75,
    ),
    clear(
        "a machine of desktop flows that does not answer",
        "gateway_offline network_or_tls",
        "machine machines listener listeners agent",
        "offline unreachable disconnected asleep reached",
        0.65,
        "desktop flow flows runtime relay endpoint uiflowservice rpa",
    ),
    clear(
        "a runtime that does not answer",
        "gateway_offline network_or_tls",
        "runtime self-hosted node nodes",
        "offline unreachable unavailable down disconnected nodes",
        0.65,
    ),
    clear(
        "a source that the gateway does not reach",
        "network_or_tls bad_credentials gateway_offline",
        "gateway",
        "source datasource",
        0.6,
        "reach reached reaching",
    ),
    loose(
        "a source that the gateway does not open",
        "network_or_tls bad_credentials gateway_offline",
        "gateway",
        "source datasource",
        0.5,
        "access connect open",
    ),
    # SQL
    clear(
        "a firewall in between",
        "sql_firewall",
        "firewall publicnetworkaccess",
        "rule rules blocked denied allow allowed deny enable access add",
    ),
    clear(
        "an address that may not in",
        "sql_firewall",
        "ip address",
        "allowed allow denied blocked whitelist allowlist permitted",
        about="ip client firewall allowlist whitelist",
    ),
    clear(
        "a network that may not in",
        "sql_firewall network_or_tls",
        "public private",
        "endpoint endpoints connections refuse* denied deny disabled",
        0.65,
        "sql database server",
    ),
    clear(
        "a database that is not there",
        "sql_database_unavailable sql_transient",
        "database databases pool warehouse lakehouse replica availability instance compute",
        "paused offline restor* recover* unavailable resum* suspect available active inactive suspended stopped secondary"
        " readable intent primary read-only shutdown starting shutting emergency single-user standby accessible",
        0.65,
        "database databases pool warehouse lakehouse replica availability compute sql server",
    ),
    loose(
        "a database that nobody knows",
        "sql_database_unavailable sql_login_failed_other",
        "database databases",
        "unknown",
        0.5,
    ),
    clear(
        "a capacity that is paused",
        "sql_database_unavailable sql_transient",
        "capacity",
        "paused inactive suspended resum* active",
        0.65,
    ),
    clear(
        "a server that takes nobody in",
        "sql_database_unavailable network_or_tls",
        "server service",
        "paused stopped shutdown shutting",
        0.6,
        "sql database connections",
    ),
    clear(
        "work that was cut off and may be done again",
        "sql_transient throttled",
        "session transaction lock locks",
        "terminated killed aborted deadlock* conflict* acquire rerun retry excessive snapshot concurrent rolled",
        0.6,
    ),
    clear(
        "a resource that runs out",
        "throttled sql_transient",
        "memory resource resources cpu worker workers dtu",
        "insufficient exceeded exhausted enough limit limits reached pool",
        0.6,
    ),
    loose(
        "a flow that is slowed down",
        "throttled",
        "flow flows actions performance",
        "slowed slow slower",
        0.55,
    ),
    clear(
        "a limit that is reached",
        "throttled",
        "rate requests calls throttle throttling quota limit limits",
        "exceeded exceed exceeds throttled many reached large high",
        0.65,
        "requests calls rate throttle throttling quota api concurrent actions per",
    ),
    # the network and services
    clear(
        "an encrypted line that fails",
        "network_or_tls",
        "tls ssl handshake encrypt encryption",
        "error errors failure fail* negotiat* server support* login pre-login prelogin",
        0.65,
    ),
    loose(
        "a line to the internet that may be down",
        "network_or_tls service_transient",
        "internet network",
        "connection check",
        0.5,
        "check verify ensure lost internet",
    ),
    clear(
        "a name that does not resolve",
        "network_or_tls",
        "dns host hostname resolve resolution",
        "resolve resolved unknown found failed failure lookup associated",
        0.75,
    ),
    clear(
        "a server whose name does not resolve",
        "network_or_tls",
        "resolve resolved resolving",
        "server host hostname domain address",
        0.7,
    ),
    clear(
        "a port that does not answer",
        "network_or_tls",
        "port socket tcp host endpoint udp protocol pre-login prelogin proxy tunnel",
        "refused timeout timed reset unreachable established aborted closed response respon* connect listen* unexpected exception"
        " blocked",
        0.65,
    ),
    loose(
        "a connection that is not made",
        "network_or_tls sql_transient",
        "connection connect connecting connectivity",
        "refused timeout timed reset unreachable establish* aborted closed lost broken dropped terminated disconnect*"
        f" unexpected* doomed fatal {FAILS}",
        0.5,
    ),
    loose(
        "a server that is not heard",
        "network_or_tls service_transient",
        "socket server network transport",
        "refused timeout timed reset unreachable aborted closed lost dropped disconnect*",
        0.5,
    ),
    loose(
        "a server that stops in the middle",
        "network_or_tls sql_transient",
        "server",
        "fail* failed failure",
        0.5,
        "read write send sent receive received",
    ),
    loose(
        "a network that fails",
        "network_or_tls service_transient",
        "network networking connectivity",
        "error errors issue issues problem problems fail* failure",
        0.55,
    ),
    loose(
        "an answer that did not come",
        "network_or_tls service_transient sql_transient",
        "response respond responded answer disconnect*",
        f"no incomplete timeout seconds waiting within {NOT}",
        0.45,
    ),
    clear(
        "a service that fails",
        "service_transient",
        "internal unexpected",
        "service backend",
        0.55,
        "problem error fault failure",
    ),
    clear(
        "a service that has issues",
        "service_transient",
        "portal service backend",
        "issues",
        0.6,
    ),
    clear(
        "a service that is down",
        "service_transient",
        "service server backend portal system upstream",
        "unavailable busy outage overloaded maintenance temporarily degraded upstream",
        0.6,
    ),
)
