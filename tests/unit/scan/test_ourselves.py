"""holdfast's own secrets, certificates and sign-ins are watched as those of connections are."""

from datetime import timedelta

import pytest

from holdfast.adapters.tables import load_codebook
from holdfast.core.coverage import SERVICE_PRINCIPALS, Outcome
from holdfast.core.identity import ServicePrincipal
from holdfast.core.inventory import SignIn
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_fault
from holdfast.scan.ourselves import OwnIdentity, own_standings
from holdfast.scan.standing import Picture, Standing
from tests.builders import START, a_secret, a_sweep, an_app, day
from tests.fakes.history import MemoryHistory

READER = OwnIdentity(("reader",), SignIn.SERVICE_PRINCIPAL, "app-1")


def judged(connection, further):
    read = read_fault(connection.fault, load_codebook()) if connection.fault else ()
    return diagnose((*read, *further))[0]


async def standing(
    identity: OwnIdentity, *apps: ServicePrincipal, read: Outcome = Outcome.SCANNED
) -> Standing:
    """How an identity stands at the start, after a scan that saw these applications."""
    history = MemoryHistory()
    record = await history.begin("t", START, day(-1))
    await history.observe(record.id, START, list(apps))
    sweep = a_sweep("", SERVICE_PRINCIPALS, outcome=read)
    await history.conclude(record.id, sweep)
    await history.finish(record.id, START, timedelta(0))
    seen = await history.last_scan("t")
    assert seen is not None
    (found,) = await own_standings(history, Picture("t", "contoso", seen, START, {}), [identity], judged)
    return found


async def test_a_secret_far_from_its_end_is_fine():
    found = await standing(READER, an_app(a_secret(expires=65)))

    assert found.status.state == "ok"
    assert found.status.nearest is not None
    assert found.status.nearest.earliest == day(65)


async def test_a_secret_near_its_end_is_at_risk():
    found = await standing(READER, an_app(a_secret(expires=5)))

    assert (found.status.state, found.status.cause) == ("at_risk", "secret_expired")


async def test_an_expired_secret_is_broken():
    found = await standing(READER, an_app(a_secret(expires=-1)))

    assert (found.status.state, found.status.cause) == ("broken", "secret_expired")


async def test_a_directory_that_cannot_be_read_leaves_the_end_unknown():
    found = await standing(READER, read=Outcome.DENIED)

    assert found.judgement is not None
    (horizon,) = found.judgement.horizons
    assert not horizon.is_known
    assert "Application.Read.All" in horizon.assumptions[0]


async def test_our_certificate_file_tells_its_end_whatever_the_directory_says():
    certificate = a_secret("thumbprint", kind="certificate", expires=9)
    identity = OwnIdentity(("reader",), SignIn.CERTIFICATE, "app-1", certificate=certificate)

    found = await standing(identity, an_app(a_secret(kind="certificate", expires=300)))

    assert (found.status.state, found.status.cause) == ("at_risk", "certificate_invalid")


async def test_a_person_who_signed_in_long_ago_is_about_to_be_forgotten():
    identity = OwnIdentity(("reader",), SignIn.USER, "app-1", signed_in_at=day(-80))

    found = await standing(identity)

    assert (found.status.state, found.status.cause) == ("at_risk", "token_inactive")
    assert found.status.nearest is not None
    assert found.status.nearest.earliest == day(10)


async def test_trouble_with_our_own_credential_is_unknown_and_says_what_to_do():
    identity = OwnIdentity(("reader",), SignIn.USER, "app-1", trouble="Sign in: `holdfast login`.")

    found = await standing(identity)

    assert (found.status.state, found.status.next_action) == ("unknown", "Sign in: `holdfast login`.")


@pytest.mark.parametrize("roles", [("reader",), ("reader", "operator")])
async def test_one_application_in_several_roles_is_one_row(roles):
    found = await standing(OwnIdentity(roles, SignIn.SERVICE_PRINCIPAL, "app-1"), an_app(a_secret()))

    assert found.status.connection.id == f"holdfast/{'+'.join(roles)}"
