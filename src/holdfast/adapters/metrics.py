"""Measures as Prometheus reads them: text, a file for the node exporter, or an address to scrape."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from holdfast.core.errors import SettingsError
from holdfast.core.measure import Measure


class Board(Collector):
    """The newest measures, to be read at any time from any thread."""

    def __init__(self) -> None:
        self._measures: tuple[Measure, ...] = ()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def put(self, measures: Iterable[Measure]) -> None:
        """Show these from now on."""
        self._measures = tuple(measures)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """For the library: a family per name."""
        families: dict[str, GaugeMetricFamily] = {}
        for measure in self._measures:
            labels = tuple(measure.labels)
            family = families.get(measure.name)
            if family is None:
                family = families[measure.name] = GaugeMetricFamily(measure.name, measure.help, labels=labels)
            family.add_metric(tuple(map(_encodable, measure.labels.values())), measure.value)
        yield from families.values()

    def text(self) -> bytes:
        """In the exposition format."""
        return generate_latest(self._registry)

    def write(self, file: Path) -> None:
        """Into a file that is there whole or not at all: its reader may look at any moment.

        Raises:
            SettingsError: it cannot be written.
        """
        try:
            with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as out:
                out.write(self.text())
            Path(out.name).chmod(0o644)
            os.replace(out.name, file)
        except OSError as error:
            raise SettingsError(
                f"The metrics cannot be written to {file}: {error.strerror or error}."
            ) from None

    def serve(self, host: str, port: int) -> None:
        """Answer scrapes from a thread, until this process ends.

        Raises:
            SettingsError: the address cannot be had.
        """
        try:
            start_http_server(port, host, registry=self._registry)
        except OSError as error:
            raise SettingsError(
                f"Metrics cannot be served at {host}:{port}: {error.strerror or error}."
            ) from None


def _encodable(text: str) -> str:
    """The text without half characters, which a name can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")
