"""What is wrong with a combination file is told with line, path, found and allowed: all of it at once.

Each case changes the right file of sample_file.py in one place and names the one problem that this makes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.problem_case import Case
from transforms.combination.loader import load_combination
from transforms.errors import PlanError, Problem

from .sample_file import VALID, written

OUTPUT = "{user: A, join: inner-multi, base: A, optional: [C], link_id: true}"
CASES = [
    Case("unknown key", "roles:", "rolls: 1\nroles:", "rolls", "unknown key 'rolls'", "roles", "'roles'"),
    Case("unknown key of a party", "{supplies: housing-b}", "{supplies: housing-b, opt: true}", "parties.B.opt",
         "unknown key 'opt'", "optional, rows"),
    Case("duplicate party", "  B: {supplies", "  A: {supplies: x}\n  B: {supplies", "parties.A", "key again",
         "each key once"),
    Case("party but for capitals", "  B: {supplies", "  a: {supplies: x}\n  B: {supplies", "parties.a", "as parties.A",
         "another name"),
    Case("one plan of two parties", "housing-b", "fuel-a", "parties.B.supplies", "which A supplies too",
         "a plan of its own"),
    Case("party named as an agency", "  B: {supplies", "  kma: {supplies: x}\n  B: {supplies", "parties.kma",
         "as roles.key_agency", "another name", "separate organisations"),
    Case("one organisation as both agencies", "combining_agency: CA", "combining_agency: KMA",
         "roles.combining_agency", "'KMA', as roles.key_agency", "another name", "separate organisations"),
    Case("no combining agency", ", combining_agency: CA", "", "roles.combining_agency", "nothing", "must be there"),
    Case("party's name", "  B: {supplies", "  B_2: {supplies: x}\n  B: {supplies", "parties.B_2", "name 'B_2'",
         "letters and digits"),
    Case("combination's name", "combination: mobility-housing-health", "combination: mobility/housing", "combination",
         "'mobility/housing'", "letters, digits"),
    Case("party that does nothing", "C: {supplies: health-c, optional: true}",
         "C: {supplies: health-c, optional: true}\n  D: {}", "parties.D", "neither `supplies` nor `uses`", "or both"),
    Case("fewer than two suppliers", "  B: {supplies: housing-b}\n  C: {supplies: health-c, optional: true}\n", "",
         "parties", "1 that supply data", "two or more"),
    Case("all but one optional", "{supplies: housing-b}", "{supplies: housing-b, optional: true}", "parties",
         "1 suppliers that are not optional", "two or more"),
    Case("nobody uses it", "{supplies: fuel-a, uses: true}", "{supplies: fuel-a}", "parties", "none that uses",
         "uses: true"),
    Case("user without an output", "{supplies: housing-b}", "{supplies: housing-b, uses: true}", "parties.B.uses",
         "a user without an output", "{user: B"),
    Case("optional user", "{supplies: housing-b}", "{supplies: housing-b}\n  D: {uses: true, optional: true}",
         "parties.D.optional", "supplies nothing", "parties that supply"),
    Case("rows of a user", "{supplies: housing-b}", "{supplies: housing-b}\n  D: {uses: true, rows: many}",
         "parties.D.rows", "supplies nothing", "parties that supply"),
    Case("unknown rows", "{supplies: housing-b}", "{supplies: housing-b, rows: man}", "parties.B.rows", "'man'",
         "one or many", "did you mean 'many'?"),
    Case("hash weaker than SHA-256", "algorithm: SHA-256", "algorithm: SHA-1", "key.algorithm", "weaker than SHA-256",
         "SHA-256 or stronger"),
    Case("unknown hash", "algorithm: SHA-256", "algorithm: SHA256", "key.algorithm", "'SHA256'", "HMAC-SHA-512",
         "did you mean 'SHA-256'?"),
    Case("salt shorter than the digest", "salt_bytes: 32", "salt_bytes: 16", "key.salt_bytes",
         "16, shorter than the digest of SHA-256", "32 to 64"),
    Case("salt longer than any digest", "salt_bytes: 32", "salt_bytes: 65", "key.salt_bytes", "65", "at most 64"),
    Case("unknown encoding", "  salt_bytes: 32", "  encoding: EUC-KR", "key.encoding", "'EUC-KR'", "UTF-8 or CP949"),
    Case("other normal form", "  salt_bytes: 32", "  normal: NFD", "key.normal", "'NFD'", "NFC"),
    Case("column without a form", "[name, phone, birth]", "[name, phne, birth]", "key.columns[1]",
         "column 'phne' without a form", "{name: phne, form: FORM}", "did you mean 'phone'?"),
    Case("unknown form", "[name, phone, birth]", "[name, {name: id, form: digit}]", "key.columns[1].form", "'digit'",
         "name, digits, date or text", "did you mean 'digits'?"),
    Case("column twice", "[name, phone, birth]", "[name, phone, name]", "key.columns[2]", "column 'name' again",
         "once"),
    Case("no columns", "[name, phone, birth]", "[]", "key.columns", "no column", "one or more"),
    Case("limit of duplicates", "limit: 0.001", "limit: 1", "key.duplicates.limit", "1", "below 1"),
    Case("round that is none", "first: 2024-07", "first: 2024-13", "series.first", "'2024-13'", "such as 2024-07"),
    Case("round of another kind", "last: 2025-06", "last: 2025-Q2", "series.last", "'2025-Q2'", "such as 2024-07"),
    Case("series that ends first", "last: 2025-06", "last: 2024-06", "series.last", "before the first", "2024-07 or"),
    Case("unknown period", "every: month", "every: day", "series.every", "'day'", "week, month, quarter or year"),
    Case("attributes before keys", "attributes_due: 12", "attributes_due: 4", "series.attributes_due",
         "4 days, before the keys", "5 or more"),
    Case("keys due before the end", "keys_due: 5", "keys_due: 0", "series.keys_due", "0", "at least 1"),
    Case("late, but none is optional", "health-c, optional: true}", "health-c}", "series.late",
         "no party is optional", "cancel", "optional: true"),
    Case("mock round out of the series", "rounds: [2024-07]", "rounds: [2024-06]", "options.mock.rounds[0]",
         "'2024-06', no round", "2024-07 to 2025-06"),
    Case("mock of no round", "rounds: [2024-07]", "rounds: []", "options.mock.rounds", "none", "one or more"),
    Case("mock round twice", "rounds: [2024-07]", "rounds: [2024-07, 2024-07]", "options.mock.rounds[1]", "again",
         "once"),
    Case("floor above one", "floor: 0.05", "floor: 5", "options.join_rate.floor", "5", "at most 1"),
    Case("unknown option", "join_rate:", "join-rate:", "options.join-rate", "unknown key 'join-rate'", "join_rate",
         "'join_rate'"),
    Case("output for nobody", "user: A,", "user: D,", "outputs[0].user", "'D', no party", "`uses: true`: A"),
    Case("output for one who uses none", "user: A,", "user: B,", "outputs[0].user", "does not use the result", ": A"),
    Case("two outputs for one user", OUTPUT, OUTPUT + "\n  - {user: A, join: inner-single}", "outputs[1].user",
         "'A' again", "one output for each user"),
    Case("unknown join", "join: inner-multi", "join: inner-mult", "outputs[0].join", "'inner-mult'",
         "anti-inner-single", "did you mean 'inner-multi'?"),
    Case("join without its base", "base: A, ", "", "outputs[0]", "inner-multi without a base", "A, B, C"),
    Case("base that supplies nothing", "B: {supplies: housing-b}\n", "B: {supplies: housing-b}\n  D: {uses: true}\n",
         "outputs[0].base", "'D', a party that supplies nothing", "A, B, C"),
    Case("base that is no party", "base: A", "base: X", "outputs[0].base", "'X', no party", "A, B, C"),
    Case("base that may be missing", "base: A, optional: [C]", "base: C, optional: [B]", "outputs[0].base",
         "without which a round may go on", "not optional"),
    Case("base of equals", OUTPUT, "{user: A, join: inner-single, base: A}", "outputs[0].base",
         "a base of inner-single", "inner-multi"),
    Case("optional that is no party", "optional: [C]", "optional: [D]", "outputs[0].optional[0]", "'D', no party",
         "B, C"),
    Case("optional base", "optional: [C]", "optional: [A]", "outputs[0].optional[0]", "'A', the base", "B, C"),
    Case("optional twice", "optional: [C]", "optional: [C, C]", "outputs[0].optional[1]", "named twice", "each once"),
    Case("optional of another join", "join: inner-multi", "join: outer-single", "outputs[0].optional",
         "optional parties of outer-single", "inner-multi"),
    Case("no outputs", f"outputs:\n  - {OUTPUT}", "outputs: []", "outputs", "none", "one for each user"),
    Case("too few reviewers", "reviewers: 3", "reviewers: 2", "export.reviewers", "2", "at least 3"),
    Case("series of nothing", "keys_due: 5, ", "", "series.keys_due", "nothing", "must be there"),
]  # fmt: skip
# What follows from the one change, beside the problem itself.
ALSO = {
    "base that supplies nothing": {"parties.D.uses"},
    "fewer than two suppliers": {"series.late", "outputs[0].optional[0]"},
    "output for nobody": {"parties.A.uses"},
    "output for one who uses none": {"parties.A.uses"},
    "nobody uses it": {"outputs[0].user"},
    "optional user": {"parties.D.uses"},
    "rows of a user": {"parties.D.uses"},
}
LATE = ("late: cancel", "late: without-optional")


def problems(path: Path) -> tuple[Problem, ...]:
    with pytest.raises(PlanError) as raised:
        load_combination(path)
    return raised.value.problems


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_problem_says_where_what_and_what_else(tmp_path: Path, case: Case) -> None:
    changes = [LATE] if case.path == "series.late" else []
    if case.name == "base that supplies nothing":
        changes.append(("base: A", "base: D"))
    path = written(tmp_path, *changes, (case.old, case.new))
    told = problems(path)
    here = [one for one in told if one.path == case.path]
    assert len(here) == 1, [str(one) for one in told]
    assert {one.path for one in told} - {case.path} <= ALSO.get(case.name, set())
    (problem,) = here
    case.require_told(problem)
    assert problem.line is not None
    lines = path.read_text("utf-8").splitlines()
    last_part = case.path.rsplit(".", 1)[-1].split("[")[0]
    nearby = "\n".join(lines[problem.line - 1 : problem.line + 1])
    assert last_part in nearby or case.path == "outputs[0]" or case.found.startswith("nothing"), (
        f"{problem} does not stand there: {nearby}"
    )


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    told = problems(
        written(
            tmp_path,
            ("combining_agency: CA", "combining_agency: KMA"),
            ("salt_bytes: 32", "salt_bytes: 8"),
            ("first: 2024-07", "first: 2024-00"),
            ("optional: [C]", "optional: [X]"),
            ("reviewers: 3", "reviewers: two"),
        )
    )
    assert [one.path for one in told] == [
        "roles.combining_agency", "key.salt_bytes", "series.first", "outputs[0].optional[0]", "export.reviewers",
    ]  # fmt: skip
    assert [one.line for one in told] == sorted(one.line or 0 for one in told)


def test_all_that_is_wrong_with_a_key_spec_is_told_at_once(tmp_path: Path) -> None:
    """Two parties alike, a weak digest, a column twice, a short salt: four problems, none behind another."""
    told = problems(
        written(
            tmp_path,
            ("housing-b", "fuel-a"),
            ("[name, phone, birth]", "[name, phone, name]"),
            ("SHA-256", "MD5"),
            ("salt_bytes: 32", "salt_bytes: 8"),
        )
    )
    assert [one.path for one in told] == [
        "parties.B.supplies", "key.columns[2]", "key.algorithm", "key.salt_bytes",
    ]  # fmt: skip
    assert "shorter than any digest" in told[3].found


def test_what_the_rules_forbid_is_refused_as_against_malformed(tmp_path: Path) -> None:
    for change in (("SHA-256", "MD5"), ("salt_bytes: 32", "salt_bytes: 31")):
        assert all(one.refused for one in problems(written(tmp_path, change)))
    assert not any(one.refused for one in problems(written(tmp_path, ("SHA-256", "SHA-42"))))


def test_a_combination_has_at_most_16_suppliers(tmp_path: Path) -> None:
    def file(count: int) -> Path:
        more = "".join(f"  D{n}: {{supplies: d{n}}}\n" for n in range(count - 3))
        return written(tmp_path, ("  C: {supplies", f"{more}  C: {{supplies"))

    assert len(load_combination(file(16)).suppliers) == 16
    (problem,) = problems(file(17))
    assert (problem.path, problem.found) == ("parties", "17 that supply data")


def test_link_ids_and_simplified_review_need_a_series(tmp_path: Path) -> None:
    line = next(one for one in VALID.splitlines() if one.startswith("series:"))
    told = problems(written(tmp_path, (line + "\n", ""), ("rounds: [2024-07]", "rounds: [once]")))
    assert [one.path for one in told] == ["outputs[0].link_id", "export.simplified"]
    assert "without a series" in told[0].found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "0 documents"),
        ("- combination", "no mapping"),
        ("combination: [", "no YAML here"),
        ("combination: &a x", "an anchor"),
        ("combination: x\n---\ncombination: y", "2 documents"),
    ],
)
def test_a_file_that_is_none(tmp_path: Path, text: str, found: str) -> None:
    told = problems(written(tmp_path, text=text))
    assert any(found in one.found for one in told)
    assert all("plan" not in one.path for one in told)


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    (missing,) = problems(tmp_path / "none.yaml")
    assert (missing.path, missing.allowed) == ("combination", "a combination file")
    korean = tmp_path / "cp949.yaml"
    korean.write_bytes("combination: 결합".encode("cp949"))
    (encoded,) = problems(korean)
    assert "not UTF-8" in encoded.found


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 70), st.floats(-1, 2), st.sampled_from(["A", "KMA", "2024-07", ""])
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["A", "user", "join", "rounds", "first", "every", "name", "supplies"]), inner, max_size=3
), max_leaves=6)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(key=st.sampled_from(["combination", "roles", "parties", "key", "series", "options", "outputs", "export"]),
       value=VALUES)  # fmt: skip
def test_whatever_stands_there_is_taken_or_told_never_a_crash(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    lines: list[str] = []
    skipping = False
    for line in VALID.splitlines():
        if not line.startswith(" "):
            skipping = line.startswith(f"{key}:")
        if not skipping:
            lines.append(line)
    path = tmp_path_factory.mktemp("any") / "combination.yaml"
    path.write_text("\n".join([*lines, f"{key}: {json.dumps(value, ensure_ascii=False)}", ""]), encoding="utf-8")
    try:
        found = load_combination(path)
    except PlanError as error:
        untold = [one for one in error.problems if not one.line]
    else:
        untold = []
        assert len(found.suppliers) > 1
        assert found.users
    assert untold == []
