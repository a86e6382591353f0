"""`explain` on posted error texts: how many causes it names, how sure it is, how fast, and on hostile input."""

from __future__ import annotations

import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from holdfast.adapters.tables import load_codebook
from holdfast.core.verdict import Verdict
from holdfast.diagnosis.diagnose import diagnose
from holdfast.reading.texts import read_text

FIXTURES = Path(os.environ.get("HOLDFAST_FIXTURES", Path(__file__).parents[2] / "shared" / "fixtures"))
MEGABYTES = 10


class Judged(NamedTuple):
    """One posted text and what was said of it."""

    row: dict[str, Any]
    verdict: Verdict

    @property
    def is_primary(self) -> bool:
        return self.verdict.cause.id == self.row["label"]

    @property
    def is_right(self) -> bool:
        return self.verdict.cause.id in (self.row["label"], self.row["secondary"])


def main() -> None:
    """Print the tables; nothing here passes or fails."""
    corpus = FIXTURES / "diagnosis" / "real-errors.jsonl"
    if corpus.exists():
        texts = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
        judged = [Judged(row, explain(row["error_text"])) for row in texts]
        accuracy(judged)
        reliability(judged)
        speed([row["error_text"] for row in texts])
    else:
        print(f"no corpus at {corpus}: accuracy and speed not measured")
    hostile()


def explain(text: str) -> Verdict:
    """As the command does."""
    return diagnose(read_text(text, load_codebook()))[0]


def accuracy(judged: list[Judged]) -> None:
    """By label, and every miss."""
    print(f"{'label':32} {'right':>5} {'of':>3}   (primary or secondary, any text)")
    for label, number in sorted(Counter(one.row["label"] for one in judged).items()):
        right = sum(one.is_right for one in judged if one.row["label"] == label)
        print(f"{label:32} {right:5} {number:3}")
    for sufficient in ("yes", "partly", "no"):
        some = [one for one in judged if one.row["text_sufficient"] == sufficient]
        right, primary = sum(one.is_right for one in some), sum(one.is_primary for one in some)
        print(
            f"text sufficient: {sufficient:7} {right}/{len(some)} = {right / len(some):.1%}, primary {primary}"
        )
    false_alarms = [
        one.row["id"]
        for one in judged
        if one.row["label"] == "not_connection" and one.verdict.cause.id not in ("not_connection", "unknown")
    ]
    print(f"no broken connection, called broken: {len(false_alarms)} {false_alarms or ''}")
    for one in judged:
        if not one.is_right:
            listed = one.row["label"] in one.verdict.alternatives
            print(
                f"  miss {one.row['id']} ({one.row['text_sufficient']}): {one.row['label']} called"
                f" {one.verdict.cause.id} at {one.verdict.confidence}, {'listed' if listed else 'not listed'}"
            )


def reliability(judged: list[Judged]) -> None:
    """Of those said with so much confidence, how many were right."""
    bands: dict[int, list[Judged]] = defaultdict(list)
    for one in judged:
        bands[min(int(one.verdict.confidence * 10), 9)].append(one)
    print("said with   texts   right")
    for band, some in sorted(bands.items(), reverse=True):
        print(
            f"{band / 10:.1f} to {(band + 1) / 10:.1f} {len(some):6}  {sum(one.is_right for one in some) / len(some):6.0%}"
        )


def speed(texts: list[str], seconds: float = 2.0) -> None:
    """Texts a second on one core."""
    done, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for text in texts:
            explain(text)
        done += len(texts)
    print(
        f"speed: {done / spent:,.0f} texts/s on one core (mean {sum(map(len, texts)) // len(texts)} characters)"
    )


def _words() -> str:
    from holdfast.reading.texts import INDEX

    return " ".join(INDEX.by_word) + " "


WORDS: Final = _words()


HOSTILE: dict[str, Callable[[int], str]] = {
    "one letter": lambda size: "a" * size,
    "blanks": lambda size: " " * size,
    "backslashes": lambda size: "\\" * size,
    "escapes": lambda size: "\\u0041" * (size // 6),
    "ampersands": lambda size: "&" * size,
    "entities": lambda size: "&amp;" * (size // 5),
    "brackets": lambda size: "[" * size,
    "quotes": lambda size: '"' * size,
    "digits": lambda size: "1" * size,
    "AADSTS": lambda size: "AADSTS" * (size // 6),
    "AADSTS codes": lambda size: "AADSTS50076 " * (size // 12),
    "error codes without end": lambda size: "error_codes:[1,1,1 " * (size // 19),
    "error numbers": lambda size: "error: 18456 " * (size // 13),
    "error words": lambda size: "error " * (size // 6),
    "error without a number": lambda size: "sql error : : : : " * (size // 18),
    "beginnings of phrases": lambda size: "login failed for client with ip the user does not " * (size // 50),
    "a word of every phrase": lambda size: (WORDS * (size // len(WORDS) + 1))[:size],
    "many words": lambda size: " ".join(map(str, range(size // 7))),
    "Japanese": lambda size: "ログイン" * (size // 12),
    "mixed scripts": lambda size: "aé漢\u200b" * (size // 9),
    "secrets": lambda size: "password=" * (size // 9),
    "statuses": lambda size: "status: 4 " * (size // 10),
    "percent": lambda size: "%20%3A%22" * (size // 9),
    "NUL": lambda size: "\0" * size,
    "nested JSON": lambda size: '{"error":' * (size // 9),
    "new lines": lambda size: "\r\n" * (size // 2),
    "dotted capital I": lambda size: "İ" * (size // 2),
}


def hostile() -> None:
    """Seconds for each kind of hostile text of ten megabytes, slowest first."""
    took = {}
    for name, make in HOSTILE.items():
        text = make(MEGABYTES * 1_000_000)
        began = time.process_time()
        explain(text)
        took[name] = time.process_time() - began
    for name, spent in sorted(took.items(), key=lambda one: -one[1])[:8]:
        print(f"{MEGABYTES} MB of {name}: {spent:.2f} s")
