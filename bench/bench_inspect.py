"""`inspect` on flow definitions that strangers published, against the labels beside them."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from holdfast.core.operations import SqlOperation
from holdfast.reading.flows import sql_operations

FIELDS = (
    "connection_key",
    "connection_reference_logical_name",
    "runtime_source",
    "operation",
    "api_version",
    "server",
    "server_dynamic",
    "database",
    "database_dynamic",
    "object",
    "object_dynamic",
)
SETS = ("reads", "writes", "executes")


def place() -> Path:
    fixtures = os.environ.get("HOLDFAST_FIXTURES", str(Path(__file__).parents[2] / "shared" / "fixtures"))
    return Path(fixtures) / "flows"


def bare(name: Any) -> Any:
    """As objects are compared: without case, brackets, quotes and white space."""
    return "".join(c for c in name.lower() if c not in '[]" \t') if isinstance(name, str) else name


def told(operation: SqlOperation, field: str) -> Any:
    return operation.reference if field == "connection_reference_logical_name" else getattr(operation, field)


def pairs(
    folder: Path,
) -> Iterator[tuple[str, dict[tuple[str, str], dict], dict[tuple[str, str], SqlOperation]]]:
    """Per file: the labelled entries and the found ones, by path and kind."""
    for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines():
        label = json.loads(line)
        document = json.loads((folder / label["file"]).read_text(encoding="utf-8"))
        found = {(o.path, o.kind): o for o in sql_operations(document) if "sqldw" not in o.connector}
        wanted = {(e["path"], e["kind"]): e for e in label["entries"] if "sqldw" not in e["connector"]}
        yield label["file"], wanted, found


def score(folder: Path) -> dict[str, Any]:
    """All figures of fixtures/flows/README.md, and a line per miss."""
    hits = missed = invented = 0
    right: Counter[str] = Counter()
    forms: dict[str, Counter[str]] = {}
    grants: Counter[str] = Counter()
    honesty: Counter[str] = Counter()
    misses: list[str] = []
    for file, wanted, found in pairs(folder):
        for name in wanted.keys() - found.keys():
            missed += 1
            misses.append(f"{file} {name[0]}: not found")
        for name in found.keys() - wanted.keys():
            invented += 1
            misses.append(f"{file} {name[0]}: invented")
        for name in wanted.keys() & found.keys():
            hits += 1
            label, operation = wanted[name], found[name]
            form = forms.setdefault(label["form"], Counter())
            for field in FIELDS:
                ours, theirs = told(operation, field), label.get(field)
                if field in ("server_dynamic", "database_dynamic", "object_dynamic"):
                    ours, theirs = bool(ours), bool(theirs)
                same = bare(ours) == bare(theirs) if field == "object" else ours == theirs
                right[field] += same
                form["right"] += same
                form["fields"] += 1
                if not same:
                    misses.append(f"{file} {name[0]}: {field} is {ours!r}, not {theirs!r}")
            for kind in SETS:
                ours, theirs = (
                    {bare(o) for o in told(operation, kind)},
                    {bare(o) for o in label.get(kind, ())},
                )
                grants["found"] += len(ours & theirs)
                grants["missing"] += len(theirs - ours)
                grants["extra"] += len(ours - theirs)
                if ours != theirs:
                    misses.append(f"{file} {name[0]}: {kind} is {sorted(ours)}, not {sorted(theirs)}")
            human = bool(label.get("needs_human"))
            if human and not operation.needs_human:
                honesty["guessed"] += 1
                misses.append(f"{file} {name[0]}: guessed where a human is needed")
            elif operation.needs_human and not human:
                honesty["cautious" if label.get("query_dynamic") == "values" else "over-cautious"] += 1
                misses.append(f"{file} {name[0]}: asked for a human without need")
    return {
        "hits": hits,
        "missed": missed,
        "invented": invented,
        "right": right,
        "forms": forms,
        "grants": grants,
        "honesty": honesty,
        "misses": misses,
    }


def main() -> None:
    figures = score(place())
    hits = figures["hits"]
    print(f"operations: {hits} found, {figures['missed']} missed, {figures['invented']} invented")
    for field in FIELDS:
        print(f"  {field:36} {figures['right'][field]:4}/{hits}")
    total = sum(figures["right"].values())
    print(f"  {'all fields':36} {total:4}/{hits * len(FIELDS)}  {total / max(1, hits * len(FIELDS)):.1%}")
    for form, counts in sorted(figures["forms"].items()):
        print(f"  {form:36} {counts['right']:4}/{counts['fields']}")
    print(f"grants: {dict(figures['grants'])}")
    print(f"honesty: {dict(figures['honesty']) or 'no guess, no needless question'}")
    for miss in figures["misses"]:
        print(f"  {miss}")


if __name__ == "__main__":
    main()
