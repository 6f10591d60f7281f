"""Several tables of one person: the register's sample decides, the others follow."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from transforms.compiler import compile_plan
from transforms.errors import DataRefused
from transforms.pipeline.engine import LocalEngine, PassFailed
from transforms.pipeline.feed import TableUnit
from transforms.pipeline.run import Options, Prepared, finish, prepare
from transforms.pipeline.sampling import register_draws
from transforms.pipeline.transform import ToBatches
from transforms.plan_loader import load

PLAN = """\
format: 1
plan: revisits
application: {number: 2026-001}
purpose: {kind: statistics, statement: 시군구별 재방문율 통계 작성, legal_basis: 제28조의2}
use: {form: internal-other-department, recipient: 분석팀, place: closed, from: 2026-01-01, until: 2030-12-31}
subjects: {member: {register: crm/members, key: id}}
sample: SAMPLE
pseudonyms: {member: {technique: keyed-token}}
tables:
  members:
    source: crm/members
    row_key: [id]
    subject: {member: id}
    excluded: [town, sex, family, paid, joined]
    columns:
      id: {kind: identifier, apply: {pseudonym: member}}
      no: {kind: attribute, apply: keep}
  visits:
    source: shop/visits
    row_key: [visit]
    subject: {member: who}
    excluded: [visit]
    columns:
      who: {kind: identifier, apply: {pseudonym: member}}
      no: {kind: attribute, apply: keep}
additional_information: {destroy: approved}
output: {table: revisits}
"""
SAMPLES = [
    "{of: member, fraction: 0.4}",
    "{of: member, fraction: 0.4, stable_over: panel}",
    "{technique: systematic, of: member, order_by: joined, n: 100}",
    "{technique: stratified, of: member, by: [town], fraction: 0.25}",
    "{technique: cluster, of: member, cluster: family, n: 60}",
    "{technique: quota, of: member, by: [sex], quota: {F: 30, M: 60}}",
    "{technique: simple, of: member, replacement: true, copies: linked, n: 400}",
    "{technique: simple, of: member, replacement: true, copies: apart, n: 400}",
]


def visits_of(everybody: pa.Table) -> pa.Table:
    """No to three visits of each member; `no` tells whose they are."""
    rows = [{"who": row["id"], "no": row["no"]} for row in everybody.to_pylist() for _ in range(row["no"] % 4)]
    return pa.Table.from_pylist(rows).append_column("visit", pa.array(range(len(rows))))


@pytest.fixture
def both(tmp_path: Path, everybody: pa.Table, secret_keys: Any) -> Any:
    """Runs register and visits as the job does; gives their prepared states and rows."""

    def run(sample: str, extra: dict[str, Any] | None = None, units: int = 3) -> dict[str, tuple[Prepared, pa.Table]]:
        file = tmp_path / "plan.yaml"
        file.write_text(PLAN.replace("SAMPLE", sample), "utf-8")
        visits = visits_of(everybody)
        if extra is not None:
            visits = pa.concat_tables([visits, pa.Table.from_pylist([extra], schema=visits.schema)])
        sources = {"members": everybody, "visits": visits}
        loaded = load(file)
        pipeline = compile_plan(loaded.plan, {name: one.schema for name, one in sources.items()})
        keys = secret_keys(bytes(range(32)))
        done: dict[str, tuple[Prepared, pa.Table]] = {}
        register = threshold = None
        for name, source in sources.items():
            size = -(-source.num_rows // units)
            pieces = [TableUnit(n, source.slice(n * size, size), source.schema, n * size) for n in range(units)]
            engine, options = LocalEngine(pieces), Options(1, None, source.num_rows)
            prepared = prepare(pipeline.table(name), keys, engine, options, None, threshold, register)
            finished = finish(prepared, engine, ToBatches(), options)
            rows = [pa.ipc.open_stream(blob).read_all() for blob in finished.outputs]
            done[name] = (prepared, pa.concat_tables(rows))
            if name == "members":
                register, threshold = register_draws(prepared.work, engine), prepared.work.threshold
        return done

    return run


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_visits_of_the_drawn_and_of_nobody_else(both: Any, sample: str) -> None:
    """With replacement, a person's visits come as often as the person."""
    done = both(sample)
    drawn = Counter(done["members"][1]["no"].to_pylist())
    found = Counter(done["visits"][1]["no"].to_pylist())
    assert found == {number: times * (number % 4) for number, times in drawn.items() if number % 4}
    assert done["visits"][0].passes[0].startswith("facts")  # nothing is drawn a second time


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_pseudonym_in_both_tables(both: Any, sample: str) -> None:
    """Of `apart` copies, each copy's visits carry that copy's own."""
    done = both(sample)
    persons: dict[str, int] = dict(zip(*(done["members"][1][n].to_pylist() for n in ("id", "no")), strict=True))
    visits = Counter(zip(*(done["visits"][1][n].to_pylist() for n in ("who", "no")), strict=True))
    for (token, number), count in visits.items():
        assert persons[token] == number
        copies = done["members"][1]["id"].to_pylist().count(token)
        assert count == copies * (number % 4)


@pytest.mark.parametrize("sample", [SAMPLES[3], SAMPLES[7]])
def test_a_visit_of_somebody_whom_the_register_does_not_list_is_refused(both: Any, sample: str) -> None:
    with pytest.raises(PassFailed, match="rows of subjects whom the register does not list"):
        both(sample, {"who": "nobody", "no": 0, "visit": -1})


@pytest.mark.parametrize("sample", SAMPLES)
def test_the_same_under_another_partitioning(both: Any, sample: str) -> None:
    one, other = both(sample), both(sample, units=11)
    for name, (_, rows) in one.items():
        assert rows.equals(other[name][1])


def test_alone_a_table_without_the_strata_can_not_be_sampled(
    tmp_path: Path, everybody: pa.Table, secret_keys: Any
) -> None:
    """`apply_table` knows no register; a sample that needs none is drawn from the table's own persons."""
    visits = visits_of(everybody)
    schemas = {"members": everybody.schema, "visits": visits.schema}
    file = tmp_path / "plan.yaml"
    keys = secret_keys(bytes(32))
    file.write_text(PLAN.replace("SAMPLE", SAMPLES[3]), "utf-8")
    with pytest.raises(DataRefused, match="columns that its register alone has"):
        compile_plan(load(file).plan, schemas).apply_table(visits, keys, "visits")
    file.write_text(PLAN.replace("SAMPLE", SAMPLES[0]), "utf-8")
    found = compile_plan(load(file).plan, schemas).apply_table(visits, keys, "visits")
    assert len(set(found["no"].to_pylist())) == int(len(set(visits["no"].to_pylist())) * 0.4)
