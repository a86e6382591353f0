"""The log of the long-running commands: one line per event on stderr, fields rather than prose, no secret."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from holdfast.cli.render import clean

_URL_PASSWORD = re.compile(r"(\w://[^\s:/@]*:)[^\s@]+(@)")
_ASSIGNED = re.compile(
    r"(?i)((?:password|passwd|pwd|secret|token|client_secret|sig|authorization)[\"']?\s*[=:]\s*(?:bearer\s+)?)[^\s,;&\"']+"
)
_JWT = re.compile(r"\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*")


def redact(text: str) -> str:
    """The text without what looks like a secret: passwords in URLs and assignments, tokens."""
    text = _URL_PASSWORD.sub(r"\1***\2", text)
    text = _ASSIGNED.sub(r"\1***", text)
    return _JWT.sub("***", text)


def set_up(form: str) -> None:
    """Send everybody's lines, ours and those of the libraries, to stderr in one form.

    Args:
        form: "text" for people, "json" for programs.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(allow=()),
    ]
    last: Any = structlog.processors.JSONRenderer() if form == "json" else _as_text
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _redacted, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_is_news)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("holdfast").setLevel(logging.INFO)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _is_news(record: logging.LogRecord) -> bool:
    """Not what the engine says of each step that a stop cuts off: the next start resumes it."""
    return not (record.name == "dbos" and record.getMessage().startswith("Asyncio task cancelled"))


def _redacted(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Runs last, so that nothing comes after it."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = redact(value)
    return event


def _as_text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    at, level, name = (str(event.pop(key, "")) for key in ("timestamp", "level", "event"))
    fields = "  ".join(f"{key}={value}" for key, value in event.items() if key != "exc_info")
    return clean(f"{at[:19]}Z {level:<7} {name}  {fields}".rstrip())
