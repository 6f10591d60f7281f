"""The figures as JSON, and as tables on the terminal and in the README."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.compare import ARMS

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
NAMES = {
    "copy": "Spark's plain Delta copy",
    "duckdb": "DuckDB, the same work",
    "duckdb-kept": "DuckDB, rows kept in memory",
}
SHOWN = ("at", "tasks", "seconds", "task_seconds", "busy", "jvm_gc_seconds")
MEMORY = {
    "driver_jvm": "driver, JVM",
    "driver_python": "driver, Python",
    "largest_worker": "largest Python worker",
    "workers_together": "all Python workers at one time",
    "heap_in_use": "JVM heap still held after the run",
}


def save(folder: Path, name: str, body: Mapping[str, Any]) -> Path:
    """Writes one result; the same name replaces it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return file


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that can be read as plain text too."""
    widths = [max(len(row[place]) for row in [head, *rows]) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        others = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([cells[0].ljust(widths[0]), *others]) + " |"

    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def text_of(body: Mapping[str, Any]) -> str:
    """The tables of one result of the retail case; of another's, which its own words tell, nothing."""
    kinds = {"comparison": _comparison, "growth": _growth, "memory": _memory, "same-work": _same_work}
    return kinds[body["what"]](body) if body["what"] in kinds else ""


def _on(body: Mapping[str, Any]) -> str:
    machine = body["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in machine["packages"].items())
    return (
        f"{machine['date']}, {machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, "
        f"load before {machine['load_before']}; Python {machine['python']}, Java {machine['java']}, {packages}; "
        f"code {machine['code']}"
    )


def _comparison(body: Mapping[str, Any]) -> str:
    seconds = body["seconds"]
    rows = [
        [
            NAMES.get(arm, arm),
            _s(seconds["median"].get(arm)),
            " ".join(_s(one) for one in seconds["rounds"].get(arm, [])),
            _s(seconds["first"].get(arm)),
        ]
        for arm in ARMS
        if arm in seconds["first"]
    ]
    ratios = [
        [name, f"{one['value']:.3f}", f"{one['least']:.3f} … {one['most']:.3f}", *_asked(one["value"], one["asked"])]
        for name, one in body["ratios"].items()
    ]
    parts = [
        f"### {body['customers']:,} customers × {body['columns']} columns, half sampled",
        _on(body) + f"; session started in {_s(seconds['session_start'])}.",
        table(["", "median, s", "rounds, s", "first in the session, s"], rows),
    ]
    if ratios:
        parts.append(table(["ratio of medians", "", "single rounds", "asked", ""], ratios))
    if "profile" in body:
        parts += [_profile(job, one) for job, one in body["profile"].items()]
    return "\n\n".join(parts)


def _profile(job: str, found: Mapping[str, Any]) -> str:
    passes = [[text, f"{taken:.3f}"] for text, taken in found["passes"]]
    stages = [
        [one["what"], *(str(one[name]) for name in SHOWN), f"{one['shuffled_bytes'] / 2**20:.1f}"]
        for one in found["stages"]
    ]
    told = f"Where {job}'s time goes (last round, {_s(found['seconds'])} s"
    told += f", {_s(found['no_stage_seconds'])} s of it without a Spark stage):" if stages else "):"
    parts = [told, table(["pass or step", "s"], passes)]
    if stages:
        head = ["Spark stage", "at, s", "tasks", "s", "task s", "cores busy", "JVM GC s", "shuffled MiB"]
        parts.append(table(head, stages))
    return "\n\n".join(parts)


def _growth(body: Mapping[str, Any]) -> str:
    rows = []
    for job, one in body["jobs"].items():
        medians = [_s(median(all_)) for all_ in one["seconds"].values()]
        found = [f"{one[name]:.3f}" for name in ("exponent_of_the_last_step", "exponent")]
        rows.append([job, *medians, *found, *_asked(one["exponent"], one["asked"])])
    sizes = next(iter(body["jobs"].values()))["seconds"]
    head = ["", *(f"{int(size):,} rows, s" for size in sizes), "last step alone", "exponent", "asked", ""]
    return "\n\n".join(["### Growth (warm session, medians)", _on(body) + ".", table(head, rows)])


def _memory(body: Mapping[str, Any]) -> str:
    sizes = list(body["peaks"])
    rows = []
    for name, label in MEMORY.items():
        values = [body["peaks"][size][name] for size in sizes]
        ratio = values[-1] / values[0] if values[0] else float("nan")
        asked = ["", ""] if name == "heap_in_use" else _asked(ratio, body["asked"])
        rows.append([label, *(f"{value / 2**20:,.0f}" for value in values), f"{ratio:.2f}", *asked])
    head = ["peak of one pseudonymize", *(f"{int(size):,} rows, MiB" for size in sizes), "ratio", "asked", ""]
    return "\n\n".join(["### Memory (a fresh process for each size)", _on(body) + ".", table(head, rows)])


def _same_work(body: Mapping[str, Any]) -> str:
    return (
        f"### The same work\n\n{body['rows']:,} rows × {body['columns']} columns by ours and by DuckDB from "
        f"{body['customers']:,} customers, without a sample: no row differs (serials aside). {_on(body)}."
    )


def _s(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}"


def _asked(value: float, most: float) -> list[str]:
    return [f"≤ {most}", "yes" if value <= most else "**no**"]


def write_readme() -> None:
    """Puts the tables of all kept results between the README's two marks; profiles stay in the JSON."""
    file = HERE / "README.md"
    bodies = [json.loads(one.read_text("utf-8")) for one in sorted(RESULTS.glob("*.json"))]
    texts = (text_of({**body, "profile": {}}) for body in bodies)
    shown = "\n\n".join(filter(None, texts)) or "Nothing yet."
    text = file.read_text("utf-8")
    between = re.compile(f"({re.escape(BEGIN)}\n).*({re.escape(END)})", re.DOTALL)
    file.write_text(between.sub(lambda found: f"{found[1]}\n{shown}\n\n{found[2]}", text), encoding="utf-8")
