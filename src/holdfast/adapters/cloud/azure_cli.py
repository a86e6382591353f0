"""Tokens of whoever is signed in to the Azure CLI."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Final

from holdfast.adapters.cloud.scrubbing import scrubbed
from holdfast.adapters.cloud.sources import Grant, granted
from holdfast.core.errors import RefusedError, SettingsError, UnreachableError
from holdfast.ports import Clock
from holdfast.wire.ledger import TOKEN

SECONDS: Final = 60
_CODE: Final = re.compile(r"AADSTS\d+")


class AzureCliSource:
    """Runs `az account get-access-token`. Blocks: for threads."""

    def __init__(self, tenant: str, clock: Clock) -> None:
        self._tenant = tenant
        self._clock = clock

    def acquire(self, scope: str) -> Grant:
        """A token for `scope`.

        Raises:
            SettingsError: the Azure CLI is not installed.
            RefusedError: nobody is signed in to it, or Entra gave no token.
            UnreachableError: it did not end.
        """
        done = self._run(scope)
        if done.returncode != 0:
            raise self._refused(done.stderr)
        told = json.loads(done.stdout)
        # `expires_on` is Unix time; `expiresOn` is local time without a zone (azure-cli 2.54 and newer).
        left = int(told.get("expires_on", 0)) - int(self._clock.now().timestamp())
        return granted({"access_token": told.get("accessToken"), "expires_in": left}, scope)

    def renew(self) -> None:
        """Nothing to forget: the Azure CLI keeps its own tokens."""

    def _run(self, scope: str) -> subprocess.CompletedProcess[str]:
        az = shutil.which("az")  # a batch file on Windows, which only its full name starts
        if az is None:
            raise SettingsError(
                "The Azure CLI (az) is not installed or not on the PATH: install it, or choose another credential."
            )
        arguments = ["account", "get-access-token", "--scope", scope, "--tenant", self._tenant, "-o", "json"]
        try:
            return subprocess.run(
                [az, *arguments], capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL
            )
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise UnreachableError(
                f"The Azure CLI gave no token ({type(failure).__name__}): try `az account get-access-token` yourself.",
                service=TOKEN.host.value,
                operation=TOKEN.id,
            ) from None

    def _refused(self, stderr: str) -> RefusedError:
        code = _CODE.search(stderr)
        words = scrubbed(stderr.partition("Trace ID")[0].removeprefix("ERROR:")).rstrip(". ")
        return RefusedError(
            f"The Azure CLI gave no token: {words}. `az login --tenant {self._tenant}` signs in.",
            service=TOKEN.host.value,
            operation=TOKEN.id,
            code=code[0] if code else None,
        )
