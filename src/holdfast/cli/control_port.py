"""The control port of a sandbox, asked by hand: of one that runs, or of an embedded one that runs meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from holdfast.cli.options import Invocation
from holdfast.cli.session import names_a_file, sandbox_folder
from holdfast.core.errors import SettingsError, UnreachableError


class ControlPort:
    """What a sandbox lets its keeper do."""

    def __init__(self, url: str) -> None:
        self._url = url
        # A proxy of the environment must not be asked for an address on this machine.
        self._opener = build_opener(ProxyHandler({}))

    def ask(
        self, path: str, body: Mapping[str, Any] | None = None, *, method: str | None = None
    ) -> dict[str, Any]:
        """The answer to a GET, or with a body to a POST.

        Raises:
            SettingsError: the sandbox cannot do that; it said why.
            UnreachableError: there is no sandbox at that address.
        """
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, content, {"content-type": "application/json"}, method=method)
        try:
            with self._opener.open(request) as answer:
                told: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            raise SettingsError(f"The sandbox says: {_said(error)}.") from None
        except (URLError, OSError):
            raise UnreachableError(
                f"No sandbox answers at {self._url}: start one with `holdfast sandbox up`.", "sandbox", path
            ) from None
        return told


def _said(error: HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"status {error.code}"


@contextmanager
def control_port(invocation: Invocation) -> Iterator[ControlPort]:
    """Of the ready file given with --sandbox, else of the embedded sandbox of that name, `story` unless named."""
    named = invocation.sandbox or "story"
    if names_a_file(named):
        yield ControlPort(_address(Path(named)))
        return
    from holdfast.sandbox import SandboxError, embedded

    try:
        with embedded(named, state=sandbox_folder(named)) as ready:
            yield ControlPort(ready["control"])
    except SandboxError as error:
        raise SettingsError(str(error)) from None


def _address(ready_file: Path) -> str:
    try:
        return str(json.loads(ready_file.read_text(encoding="utf-8"))["control"])
    except OSError as error:
        raise SettingsError(f"There is no running sandbox at {ready_file}: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise SettingsError(f"{ready_file} is no ready file of `holdfast sandbox up`.") from None
