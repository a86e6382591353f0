"""`holdfast explain`: raw error text in, verdict out. Offline."""

from __future__ import annotations

import codecs
import io
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click

from holdfast.adapters.tables import load_codebook
from holdfast.cli.options import Invocation, common_options, examples
from holdfast.cli.render import Column, emit
from holdfast.cli.saying import complain
from holdfast.cli.verdicts import as_row, show
from holdfast.core.verdict import Verdict
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.documents import is_document, pieces
from holdfast.reading.texts import READ_AT_MOST, read_text

LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of one input line, or of one text on standard input; what is longer is refused or cut."""
COLUMNS = (
    Column("id", "Id", wraps=False),
    Column("cause", "Cause", style="bold", wraps=False),
    Column("confidence", "Confidence", right=True),
    Column("alternatives", "Or perhaps"),
    Column("error", "Error"),
)
NOT_READ = Column("not_read", "Not read")
HEAD = 64 * 1024
"""Bytes that tell what a file is."""
ZIP = b"PK\x03\x04"
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BadLineError(Exception):
    """An input line that is not `{"id","text"}`; carries the id where it could be read."""

    def __init__(self, reason: str, id: str | int | None = None) -> None:
        super().__init__(reason)
        self.id = id


@click.command(
    epilog=examples(
        'explain "AADSTS50173: The provided grant has expired due to it being revoked."',
        "explain < error.txt",
        "explain --input errors.jsonl -o jsonl",
    )
)
@click.argument("text", nargs=-1)
@click.option(
    "--input",
    "input_file",
    type=click.File("rb"),
    metavar="FILE",
    help='Many texts: JSON lines of {"id","text"}, or what another tool wrote: connections, runs, sign-in logs;'
    " - is standard input.",
)
@common_options
def command(invocation: Invocation, text: tuple[str, ...], input_file: IO[bytes] | None) -> int:
    """Name the cause of a raw error text, and what to do. Works offline.

    TEXT is anything that an error, a flow run or a connection shows: JSON, log lines, half a message. Without
    TEXT one raw text is read from standard input. Exits 0 whatever it finds; with --input, 1 if a line could
    not be read.
    """
    if text and input_file is not None:
        raise click.UsageError("Give either TEXT or --input, not both.")
    if input_file is not None:
        # Not more than is there: lines may come one by one from a pipe.
        head = getattr(input_file, "read1", input_file.read)(HEAD)
        if head.startswith(ZIP):
            return explain_package(input_file.name, invocation.output)
        source: IO[bytes] = io.BufferedReader(Rejoined(head, input_file))
        if head.startswith(WIDE):  # as Windows PowerShell writes what is sent to a file
            recoded = io.BufferedReader(Recoded(source), HEAD)
            source, head = recoded, recoded.peek(HEAD)
        if is_document(head.decode("utf-8", "replace")):
            return explain_document(source, invocation.output)
        return explain_lines(source, invocation.output, str(getattr(input_file, "name", "<stdin>")))
    whole = " ".join(text) if text else from_standard_input()
    if len(whole) > READ_AT_MOST:
        click.echo(
            f"holdfast: only the first and the last {READ_AT_MOST // 2:,} characters of the text are read.",
            err=True,
        )
    verdict = verdict_on(whole)
    if not whole.strip():
        complain("The text is empty: paste what the failed action shows, or pass it on standard input.")
    elif len(text) == 1 and _is_file(text[0]):
        complain(
            f"That was read as the error text itself; what the file says: holdfast explain < {shlex.quote(text[0])}"
        )
    if invocation.output == "table":
        show(verdict)
    else:
        emit([{"id": None, **as_row(verdict)}], COLUMNS[1:4], invocation.output, shape="holdfast.explain/1")
    return 0


def _is_file(word: str) -> bool:
    try:
        return Path(word).is_file()
    except (OSError, ValueError):  # too long for a name, or no name at all
        return False


def verdict_on(text: str) -> Verdict:
    """The strongest verdict on one raw text."""
    return diagnose(read_text(text, load_codebook()))[0]


def from_standard_input() -> str:
    """One raw text in whatever encoding it comes; undecodable bytes are shown as such."""
    if sys.stdin.isatty():
        click.echo("Paste the error text, then press Ctrl-D.", err=True)
    data = sys.stdin.buffer.read(LINE_LIMIT + 1)
    if len(data) > LINE_LIMIT:
        click.echo(f"holdfast: only the first {LINE_LIMIT >> 20} MiB of standard input are read.", err=True)
        data = data[:LINE_LIMIT]
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if data.startswith(mark)), "utf-8")
    return data.decode(encoding, errors="replace")


class Rejoined(io.RawIOBase):
    """What was read to look at it, and the rest; standard input cannot be wound back."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        super().__init__()
        self._head, self._rest = io.BytesIO(head), rest

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as there are at once."""
        found = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


class Recoded(io.RawIOBase):
    """UTF-16 with its byte order mark, as UTF-8."""

    def __init__(self, source: IO[bytes]) -> None:
        super().__init__()
        self._source = io.TextIOWrapper(source, "utf-16", errors="replace", newline="")
        self._left = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As many bytes as fit."""
        data = self._left or self._source.read(max(1, len(buffer) // 4)).encode("utf-8", "replace")
        given, self._left = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def explain_document(source: IO[bytes], output: str) -> int:
    """A row for each thing in evidence of another tool; 1 if something could not be read."""
    data = source.read(LINE_LIMIT + 1)
    cut = len(data) > LINE_LIMIT
    rows: list[dict[str, Any]] = []
    for piece in pieces(data[:LINE_LIMIT].decode("utf-8", "replace")):
        missing = list(piece.missing)
        verdict = as_row(verdict_on(piece.text)) if piece.text.strip() else {"cause": None}
        rows.append({"id": piece.id, "read_as": piece.kind, **verdict, "not_read": missing})
    if cut:
        rows.append({"id": None, "error": f"only the first {LINE_LIMIT >> 20} MiB were read; split the file"})
    emit(rows, (*COLUMNS[:4], NOT_READ), output, shape="holdfast.explain/1")
    broken = any(
        "not whole JSON" in said or "cannot be read" in said for r in rows for said in r.get("not_read", ())
    )
    return 1 if cut or broken else 0


def explain_package(name: str, output: str) -> int:
    """A solution tells what flows do, not what they met with."""
    said = "A solution holds no errors: `holdfast inspect` tells what its flows do in SQL Server."
    row = {"id": name, "read_as": "solution", "cause": None, "not_read": [said]}
    emit([row], (*COLUMNS[:4], NOT_READ), output, shape="holdfast.explain/1")
    return 0


def explain_lines(source: IO[bytes], output: str, name: str) -> int:
    """A row per input line, in order; the exit code."""
    bad = good = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal bad, good
        for line in lines(source):
            try:
                id, text = parsed(line)
            except BadLineError as error:
                bad += 1
                yield {"id": error.id, "error": str(error)}
            else:
                good += 1
                yield {"id": id, **as_row(verdict_on(text))}

    emit(rows(), COLUMNS, output, shape="holdfast.explain/1", empty="No texts.")
    if bad and not good:
        source_words = "Standard input" if name.startswith("<") else name
        raw = "" if name.startswith("<") else f" < {shlex.quote(name)}"
        complain(
            f"{source_words} holds no JSON lines; one raw text goes in without --input: holdfast explain{raw}"
        )
    return 1 if bad else 0


def lines(source: IO[bytes]) -> Iterator[bytes]:
    """The lines that hold anything. One that is too long comes as its beginning, without a line end."""
    first = True
    while line := source.readline(LINE_LIMIT):
        rest = line
        while not rest.endswith(b"\n") and (rest := source.readline(LINE_LIMIT)):
            pass
        if first:
            line, first = line.removeprefix(codecs.BOM_UTF8), False
        if line.strip():
            yield line


def parsed(line: bytes) -> tuple[str | int, str]:
    """The id and the text of one input line.

    Raises:
        BadLineError: it is not such an object.
    """
    if len(line) >= LINE_LIMIT:
        raise BadLineError(f"longer than {LINE_LIMIT >> 20} MiB")
    row = read_object(line.decode("utf-8", "replace"))
    id = row.get("id")
    if not isinstance(id, str | int) or isinstance(id, bool):
        raise BadLineError("no id, or one that is neither text nor a whole number")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadLineError(f"not UTF-8 at byte {error.start}", id) from error
    if not isinstance(row.get("text"), str):
        raise BadLineError("no text, or one that is not a string", id)
    return id, row["text"]


def read_object(line: str) -> dict[str, Any]:
    """The JSON object of one line.

    Raises:
        BadLineError: there is none.
    """
    try:
        row = json.loads(line)
    except RecursionError as error:
        raise BadLineError("JSON nested too deeply") from error
    except json.JSONDecodeError as error:
        raise BadLineError(f"not JSON: {error}") from error
    except ValueError as error:
        raise BadLineError("a number in it has more digits than can be read") from error
    if not isinstance(row, dict):
        raise BadLineError("not an object with id and text")
    return row
