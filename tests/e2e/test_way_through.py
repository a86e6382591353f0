"""From a command's options over HTTPS into the store: the embedded sandbox is asked as any cloud is."""

import pytest

from holdfast.cli.options import Invocation
from holdfast.cli.session import opened
from holdfast.core.errors import SettingsError
from holdfast.core.inventory import Connection
from holdfast.core.judgement import Judgement
from holdfast.scan.tenant import scan


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_STATE_DIR", str(tmp_path))
    return tmp_path


async def test_a_scan_of_the_story_judges_every_connection():
    with opened(Invocation(sandbox="story")) as holdfast:
        tenant = holdfast.chosen(None)

        async with tenant.reached() as reach:
            report = await scan(
                tenant.id,
                reach.platform,
                reach.directory,
                holdfast.history,
                holdfast.clock,
                holdfast.read,
            )

        seen = {c.id async for c in holdfast.history.current(tenant.id, Connection)}
        judged = {j.connection async for j in holdfast.history.current(tenant.id, Judgement)}
    assert report.counts.seen == len(seen) > 0
    assert judged == seen


def test_an_unknown_scenario_names_those_there_are():
    with pytest.raises(SettingsError, match="story"), opened(Invocation(sandbox="nonesuch")):
        pass


def test_a_scenario_is_no_path():
    with pytest.raises(SettingsError, match="no scenario"), opened(Invocation(sandbox="..%2f")):
        pass


def test_a_missing_ready_file_is_named():
    with pytest.raises(SettingsError, match=r"gone\.json"), opened(Invocation(sandbox="gone.json")):
        pass
