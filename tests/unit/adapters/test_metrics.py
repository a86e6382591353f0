"""Measures as Prometheus reads them."""

import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from holdfast.adapters.metrics import Board
from holdfast.core.errors import SettingsError
from holdfast.core.measure import Measure
from tests.nasty import NASTY

TWO = [
    Measure("holdfast_connections", "Connections.", 3, {"tenant": "contoso", "state": "ok"}),
    Measure("holdfast_connections", "Connections.", 1, {"tenant": "contoso", "state": "broken"}),
]


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(text.decode())
    return {
        (s.name, *(s.labels[key] for key in sorted(s.labels, reverse=True))): s.value
        for family in families
        for s in family.samples
    }


def test_the_text_reads_back():
    board = Board()

    board.put(TWO)

    assert samples(board.text()) == {
        ("holdfast_connections", "contoso", "ok"): 3,
        ("holdfast_connections", "contoso", "broken"): 1,
    }


@pytest.mark.parametrize("name", NASTY.values(), ids=NASTY.keys())
def test_a_nasty_name_stays_in_its_label(name: str):
    board = Board()

    board.put([Measure("holdfast_up", "Up.", 1, {"tenant": name})])

    assert len(samples(board.text())) == 1


def test_newer_measures_replace_the_old_ones():
    board = Board()
    board.put(TWO)

    board.put(TWO[:1])

    assert len(samples(board.text())) == 1


def test_a_file_is_written_whole(tmp_path: Path):
    board = Board()
    board.put(TWO)

    board.write(tmp_path / "holdfast.prom")

    assert [file.name for file in tmp_path.iterdir()] == ["holdfast.prom"]
    assert (tmp_path / "holdfast.prom").read_bytes() == board.text()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(SettingsError, match="cannot be written"):
        Board().write(tmp_path / "none" / "holdfast.prom")


def test_it_is_served():
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    board = Board()
    board.put(TWO)

    board.serve("127.0.0.1", port)

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        assert len(samples(answer.read())) == 2
    with pytest.raises(SettingsError, match="cannot be served"):
        Board().serve("127.0.0.1", port)
