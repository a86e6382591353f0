"""The control port from its other end."""

from datetime import timedelta

import pytest

from holdfast.sandbox import SandboxError, embedded
from holdfast.sandbox.steering import Steering


@pytest.fixture(scope="module")
def steering():
    with embedded("story", frozen=True) as ready:
        yield Steering(ready["control"])


def test_the_clock_jumps_by_what_it_is_told(steering):
    before = steering.now()

    assert steering.advance(timedelta(days=1, hours=2)) == before + timedelta(days=1, hours=2)


def test_an_unknown_event_is_refused_with_those_there_are(steering):
    with pytest.raises(SandboxError, match="reset_password"):
        steering.happen("make_coffee")


def test_a_dead_sandbox_is_said_to_be_silent():
    with pytest.raises(SandboxError, match="does not answer"):
        Steering("http://127.0.0.1:9").now()
