"""A remedy promises nothing that holdfast cannot do yet."""

import pytest

from holdfast.cli.main import COMMANDS
from holdfast.core.verdict import Remedy
from holdfast.diagnosis import remedies

REMEDIES = [each for each in vars(remedies).values() if isinstance(each, Remedy)]


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda each: each.id)
def test_its_command_exists(remedy):
    words = (remedy.command or "holdfast status").split()

    assert words[0] == "holdfast"
    assert words[1] in COMMANDS


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda each: each.id)
def test_what_holdfast_can_do_has_a_command(remedy):
    assert bool(remedy.command) == remedy.can_holdfast


def test_remedies_have_names_of_their_own():
    assert len({each.id for each in REMEDIES}) == len(REMEDIES) > 10
