"""A party with several rows of a subject: its rows stay a table of their own, through to the user."""

from __future__ import annotations

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from jobs.combination import engines

from .stage import COMBINATION, JULY, OUTPUT, PEOPLE, Stage

HEAD = OUTPUT[: OUTPUT.index("source:")]
TABLES = """\
subjects: {person: {register: combinations/cars-homes/A, key: record}}
pseudonyms: {person: {technique: keyed-token}}
tables:
  people:
    source: combinations/cars-homes/A
    row_key: [record]
    subject: {person: record}
    period: {column: round, every: month}
    excluded: [round, link]
    columns:
      record: {label: 결합번호, kind: identifier, apply: {pseudonym: person}}
      A_town: {label: 지역, kind: quasi-identifier, apply: keep}
      A_fuel: {label: 주유금액, kind: attribute, apply: keep}
  visits:
    source: combinations/cars-homes/A-B
    row_key: [row]
    subject: {person: record}
    period: {column: round, every: month}
    excluded: [round, row]
    columns:
      record: {label: 결합번호, kind: identifier, apply: {pseudonym: person}}
      B_fee: {label: 관리비, kind: attribute, apply: keep}
adequacy: {k-anonymity: {k: 3}}
additional_information: {destroy: approved}
output: {table: fuel-homes}
"""


def test_a_round_of_several_tables(stage: Stage, spark: object, monkeypatch: pytest.MonkeyPatch) -> None:
    many = COMBINATION.replace("B: {supplies: housing-b}", "B: {supplies: housing-b, rows: many}")
    (stage.folder / "combination.yaml").write_text(many, "utf-8")
    (stage.folder / "output.yaml").write_text(HEAD + TABLES, "utf-8")
    stage.round("CA").record("receive", {"receipt": "test"})
    a, b = stage.serials_a(), [f"serial-of-b-{n}" for n in range(PEOPLE)]
    town = pa.table({"serial": a, "town": ["은평구"] * PEOPLE, "fuel": pa.array(range(PEOPLE), pa.int64())})
    stage.supplied("A", town)
    fees = [(b[n], 100 * n + month) for n in range(PEOPLE) for month in range(2)]
    stage.supplied("B", pa.table({"serial": [s for s, _ in fees], "fee": [fee for _, fee in fees]}))
    stage.linked(a, b)
    code, _, said = stage.take("CA", "combine")
    assert code == 0, said
    code, _, said = stage.take("CA", "process")
    assert code == 5, said
    stage.applied()
    stage.voted()
    stage.decided()
    monkeypatch.setattr(engines, "LOCAL_ROWS", -1)  # sealed and taken in by Spark's tasks, as large tables are
    code, _, said = stage.take("CA", "export")
    assert code == 0, said
    code, told, said = stage.take("A", "take")
    assert (code, told["rows"]) == (0, PEOPLE + len(fees)), said
    place = stage.roles["A"].zone("published") / "cars-homes"
    people, visits = (DeltaTable(str(place / name)).to_pyarrow_table() for name in ("people", "visits"))
    assert set(people.column("period").to_pylist()) == set(visits.column("period").to_pylist()) == {JULY}
    # Each person's two fees stand by the pseudonym that the person has among the people.
    fuel_of = {row["record"]: row["A_fuel"] for row in people.to_pylist()}
    assert sorted((fuel_of[row["record"]], row["B_fee"]) for row in visits.to_pylist()) == [
        (n, 100 * n + month) for n in range(PEOPLE) for month in range(2)
    ]
    code, told, said = stage.take("CA", "close")
    assert (code, told["rows"]) == (0, PEOPLE + len(fees)), said
    run = stage.run()
    assert not any(run.output(run.load_record()).local.rglob("*.parquet"))
