"""python-tds: pure Python, exact error numbers. Two parts of it are replaced, see `docs/decisions/0101`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from typing import Any, Final, TypeVar

from holdfast.adapters.sql.certificate_names import is_for
from holdfast.adapters.sql.line import Knock, RefusalError, SilenceError
from holdfast.adapters.sql.wordings import number_in
from holdfast.core.errors import SettingsError
from holdfast.core.sql import Rows, SqlRefusal

TESTED: Final = ("1.17.1",)
LOGIN_FAILED: Final = 18456

T = TypeVar("T")
_knocking = threading.local()


def connect(knock: Knock) -> PythonTdsLine:
    """Log in.

    Raises:
        RefusalError, SilenceError: as for every driver.
        SettingsError: the installed python-tds is none that we know how to make safe.
    """
    pytds = _made_safe()
    with _translated(), _only_hosts(knock.admits):
        return PythonTdsLine(
            pytds.connect(
                knock.address.host,
                port=knock.address.port,
                database=knock.database,
                access_token_callable=knock.token.reveal,
                cafile=knock.ca_file,
                login_timeout=knock.seconds,
                timeout=knock.seconds,
                autocommit=True,
                appname="holdfast",
            )
        )


class PythonTdsLine:
    """An open session of python-tds."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def ask(self, batch: str) -> Rows:
        """The rows of the batch's last result."""
        with _translated(), self._connection.cursor() as cursor:
            cursor.execute(batch)
            rows: Rows = ()
            while True:
                if cursor.description:
                    rows = tuple(map(tuple, cursor.fetchall()))
                if not cursor.nextset():
                    return rows

    def close(self) -> None:
        """Say goodbye."""
        # A session that the server ended says so once more, in the words of whichever library notices first.
        with suppress(RefusalError, SilenceError), _translated():
            self._connection.close()


def _made_safe() -> Any:
    """The driver with our name check and without its retries.

    Stock, it accepts a certificate by its common name, fails on subject alternative names, and tries a refused login again
    until the time is up, which then hides the number (measured with 1.17.1 and pyOpenSSL 26.4).
    """
    import pytds
    import pytds.tls
    import pytds.utils

    if pytds.tls.validate_host is _is_for and pytds.utils.exponential_backoff is _once:
        return pytds
    installed = version("python-tds")
    hooks = (getattr(pytds.tls, "validate_host", None), getattr(pytds.utils, "exponential_backoff", None))
    if installed not in TESTED or None in hooks:
        raise SettingsError(
            f"python-tds {installed} is not one whose certificate check holdfast knows to mend: install"
            f" python-tds=={TESTED[-1]}, or mssql-python with `pip install 'holdfast[odbc]'`."
        )
    pytds.tls.validate_host = _is_for
    pytds.utils.exponential_backoff = _once
    return pytds


def _is_for(cert: Any, name: bytes) -> bool:
    """In the place of `pytds.tls.validate_host`, which is asked just before the token is sent."""
    host = name.decode("ascii", "replace")
    admits: Callable[[str], bool] = getattr(_knocking, "admits", lambda _: True)
    return admits(host) and is_for(cert.to_cryptography(), host)


def _once(
    work: Callable[[float], T],
    ex_handler: Callable[[Exception], None],
    max_time_sec: float,
    first_attempt_time_sec: float,
    backoff_factor: float = 2,
) -> T:
    """In the place of `pytds.utils.exponential_backoff`: one try, whose error is the caller's."""
    return work(max_time_sec)


@contextmanager
def _only_hosts(admits: Callable[[str], bool]) -> Iterator[None]:
    """Which hosts this thread's login may be shown to: the server may send it on to another one."""
    _knocking.admits = admits
    try:
        yield
    finally:
        del _knocking.admits


@contextmanager
def _translated() -> Iterator[None]:
    import OpenSSL.SSL
    import pytds

    try:
        yield
    except pytds.DatabaseError as error:
        if getattr(error, "number", 0):
            raise RefusalError(_refusal(error)) from None
        raise SilenceError(_first_words(error)) from None
    except pytds.Error as error:
        raise SilenceError(_first_words(error)) from None
    except OpenSSL.SSL.Error as error:
        raise SilenceError(_tls_words(error)) from None
    except TimeoutError:
        raise SilenceError("it did not answer in time") from None
    except (OSError, EOFError) as error:
        raise SilenceError(getattr(error, "strerror", None) or "the line broke") from None


def _refusal(error: Any) -> SqlRefusal:
    said = _first_words(error)
    number = int(error.number)
    # A login is refused with two errors at times, of which the driver keeps the number of the last: the general one.
    if number == LOGIN_FAILED:
        number = number_in(said) or number
    if number != error.number:
        return SqlRefusal(number, None, None, said)
    return SqlRefusal(number, int(error.state), int(error.severity), said)


def _first_words(error: BaseException) -> str:
    first = error.args[0] if error.args else None
    return str(first) if first else type(error).__name__


def _tls_words(error: BaseException) -> str:
    listed = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = ", ".join(str(one[-1]) for one in listed if one)
    return reasons or "TLS failed"
