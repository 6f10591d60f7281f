"""A cohort of fatty liver disease (survival::nafld1-3): one person in three tables, and named by others' rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jobs.storage import conf_path
from jobs.tables import write_source

pytestmark = pytest.mark.spark

DATA_SETS = ("survival::nafld1", "survival::nafld2", "survival::nafld3")
EVENTS = {
    "nafld": "비알코올 지방간", "dyslipidemia": "이상지질혈증", "htn": "고혈압", "diabetes": "당뇨병",
    "stroke": "뇌졸중", "ang/isc": "협심증·허혈성 심질환", "afib": "심방세동", "heart failure": "심부전",
    "MI": "심근경색·심정지",
    "cardiac arrest": "심근경색·심정지",
}  # fmt: skip
CLASS = ["age", "male", "height"]
K = 5
Tables = dict[str, pd.DataFrame]


def half_up(values: pd.Series, unit: float) -> pd.Series:
    return np.floor(values / unit + 0.5) * unit


def quantile(values: pd.Series, share: str) -> float:
    """The smallest value whose cumulative share is at least `share`."""
    known = sorted(values.dropna())
    return float(known[math.ceil(Fraction(share) * len(known)) - 1])


def height_band(height: float) -> str | None:
    if math.isnan(height):
        return None
    bounds = [150, 160, 170, 180, 190]
    place = sum(height >= bound for bound in bounds)
    return f"{bounds[place - 1] if place else ''}~{bounds[place] if place < len(bounds) else ''}"


def patients_of(source: pd.DataFrame) -> pd.DataFrame:
    """nafld1 by the plan, with ids in place of pseudonyms and heights before outliers are treated."""
    weight = source["weight"].clip(quantile(source["weight"], "0.005"), quantile(source["weight"], "0.995"))
    return source.assign(
        age=source["age"].clip(20, 80) // 10 * 10,
        male=source["male"].map({0: "여", 1: "남"}),
        weight=half_up(weight, 5),
        height=source["height"].map(height_band),
        bmi=half_up(source["bmi"].clip(15, 50), 1),
        futime=source["futime"] // 30 * 30,
    )


def labs_of(source: pd.DataFrame) -> pd.DataFrame:
    """nafld2 by the plan."""
    value, test = source["value"], source["test"]
    lipids, pressure, fib4 = test.isin(["hdl", "chol"]), test.isin(["sbp", "dbp"]), test == "fib4"
    value = value.mask(lipids, half_up(value.clip(upper=120), 5))
    value = value.mask(pressure, half_up(value.clip(60, 220), 5))
    value = value.mask(fib4, half_up(value.clip(upper=15), 0.5))
    return source.assign(days=source["days"].clip(-5490, 3600) // 90 * 90, value=value)


def events_of(source: pd.DataFrame) -> pd.DataFrame:
    """nafld3 by the plan."""
    return source.assign(days=source["days"].clip(-5490, 3600) // 90 * 90, event=source["event"].map(EVENTS))


def described(tables: Tables) -> pd.Series:
    """By person, all that the three tables tell of them but for the id and the height: one text."""

    def by_person(rows: pd.DataFrame) -> pd.Series:
        text = rows.drop(columns="id").astype(str).agg("/".join, axis=1)
        lines = pd.DataFrame({"id": rows["id"], "text": text}).sort_values(["id", "text"])
        return lines.groupby("id")["text"].agg("|".join)

    own = by_person(tables["patients"].drop(columns=["case.id", "height"]))
    others = (by_person(tables[name]).reindex(own.index, fill_value="none") for name in ("labs", "events"))
    return own.str.cat(list(others), sep="||")


def with_case(tables: Tables) -> Counter[str]:
    """How often each description of a person stands there, together with that of the patient they are matched to."""
    told = described(tables)
    patients = tables["patients"].set_index("id")["case.id"]
    same = patients == patients.index
    case = patients.map(told).fillna("not in the cohort").mask(patients.isna(), "no case").mask(same, "self")
    return Counter(told.str.cat(case.reindex(told.index), sep=" => "))


@pytest.fixture(scope="module")
def house(processed: Callable[..., Any]) -> Any:
    return processed("nafld", *DATA_SETS)


@pytest.fixture(scope="module")
def expected(raw: Callable[[str, str], pd.DataFrame]) -> Tables:
    """The plan by pandas; persons under their ids."""
    return {
        "patients": patients_of(raw("survival", "nafld1")),
        "labs": labs_of(raw("survival", "nafld2")),
        "events": events_of(raw("survival", "nafld3")),
    }


@pytest.fixture(scope="module")
def delivered(house: Any) -> Tables:
    return {name: house.staged(name) for name in ("patients", "labs", "events")}


def test_every_job_says_yes(house: Any) -> None:
    assert {job: ended.said for job, ended in house.ended.items() if ended.code} == {}
    assert list(house.ended) == ["keys", "generate", "check", "pseudonymize", "verify", "review"]
    assert house.ended["check"].told["tables"] == ["events", "labs", "patients"]
    assert house.ended["verify"].told["verdict"] == "equal"
    assert house.ended["verify"].told["rows"] == 17_549 + 400_123 + 34_340
    assert house.ended["review"].told["verdict"] == "fit"


def test_every_row_is_delivered(delivered: Tables) -> None:
    assert {name: len(rows) for name, rows in delivered.items()} == {
        "patients": 17_549,
        "labs": 400_123,
        "events": 34_340,
    }
    assert delivered["patients"]["id"].is_unique


def test_a_person_has_one_pseudonym_in_all_tables_and_as_anothers_case(expected: Tables, delivered: Tables) -> None:
    """No link from ids to pseudonyms is needed to see it.

    What the tables tell of a person, joined by pseudonym, and of the patient whom `case.id` names, must be what
    the source tells, joined by id: for as many persons each. Most descriptions occur once, so one wrong
    pseudonym would show.
    """
    told = with_case(expected)
    assert sum(told.values()) == 17_549
    assert sum(1 for count in told.values() if count == 1) > 17_000
    assert with_case(delivered) == told


def test_pseudonyms_tell_no_id(delivered: Tables) -> None:
    for rows in (*(table["id"] for table in delivered.values()), delivered["patients"]["case.id"].dropna()):
        assert rows.map(lambda one: re.fullmatch("[a-z2-7]{26}", one) is not None).all()
    order = delivered["patients"]["id"].rank()
    assert abs(np.corrcoef(order, range(len(order)))[0, 1]) < 0.03


def test_the_null_of_a_case_stays_null(raw: Callable[[str, str], pd.DataFrame], delivered: Tables) -> None:
    """And a case that is in no table (the cohort was thinned out before it was published) is in none here."""
    source = raw("survival", "nafld1")
    nulls = source["case.id"].isna()
    case = delivered["patients"]["case.id"]
    assert int(case.isna().sum()) == int(nulls.sum()) == 31
    assert case.nunique() == source["case.id"].nunique() == 3_853
    strangers = ~source["case.id"].isin(source["id"]) & ~nulls
    assert int((~case.isin(delivered["patients"]["id"]) & case.notna()).sum()) == int(strangers.sum()) == 21
    assert int((case == delivered["patients"]["id"]).sum()) == int((source["case.id"] == source["id"]).sum())


@pytest.mark.parametrize("table", ["labs", "events"])
def test_days_are_multiples_of_90_within_the_plans_bounds(table: str, expected: Tables, delivered: Tables) -> None:
    days = delivered[table]["days"]
    assert days.min() == -5490
    assert days.max() == 3600
    assert (days % 90 == 0).all()
    pd.testing.assert_series_equal(
        days.value_counts().sort_index(), expected[table]["days"].value_counts().sort_index()
    )


def test_rare_heights_are_suppressed_as_on_paper(
    house: Any, expected: Tables, delivered: Tables, local_suppression: Callable[..., tuple[int, int]]
) -> None:
    before = expected["patients"].groupby(CLASS, dropna=False).size()
    names = [(age, male, None if pd.isna(height) else height) for age, male, height in before.index]
    classes = Counter({((age, male), height): int(n) for (age, male, height), n in zip(names, before, strict=True)})
    assert min(classes.values()) < K
    cells, rows = local_suppression(classes, None, K, 1)
    assert (cells, rows) == (28, 0)
    assert house.counts("patients")["outliers"] == [{"rule": 1, "cells": cells, "rows": rows}]
    patients = delivered["patients"]
    assert int(patients["height"].isna().sum()) == int(expected["patients"]["height"].isna().sum()) + cells
    kept = patients.dropna(subset=["height"]).groupby(CLASS).size()
    assert (kept == expected["patients"].groupby(CLASS).size().reindex(kept.index)).all()


def test_k_is_counted_in_persons(house: Any, delivered: Tables) -> None:
    """A person with a hundred measurements counts once."""
    found = house.result()["k"]
    assert {name: one["columns"] for name, one in found.items()} == {
        "patients": CLASS,
        "labs": ["days"],
        "events": ["days"],
    }
    for name, one in found.items():
        classes = delivered[name].groupby(one["columns"], dropna=False)["id"].nunique()
        assert (one["asked"], one["found"]) == (K, int(classes.min()))
        assert one["found"] >= K


def test_a_sample_without_who_asked_to_stop_is_the_same_people_in_all_tables(
    new_house: Callable[..., Any], raw: Callable[[str, str], pd.DataFrame], tmp_path: Any, expected: Tables
) -> None:
    """A quarter of those who did not ask to stop: exactly that many, each with all their rows or none."""
    house = new_house(*DATA_SETS)
    stopped = raw("survival", "nafld1")["id"].iloc[::100]
    # Requests come from another system, which keeps numbers as floats.
    requests = pa.table({"who": pa.array(stopped.astype(float))})
    write_source(requests, house.environment.zone("source") / "examples/stops")
    text = conf_path("plans/nafld.yaml").read_text("utf-8")
    text = text.replace("key: id}", "key: id, stop_requests: {table: examples/stops, key: who}}", 1)
    text = text.replace("\npseudonyms:", "\nsample: {technique: simple, of: patient, fraction: 0.25}\npseudonyms:", 1)
    text = text.replace("k-anonymity: {k: 5}", "k-anonymity: {k: 3}").replace("below: 5, ", "below: 3, ")
    plan = tmp_path / "sampled.yaml"
    plan.write_text(text.replace("{table: nafld}", "{table: nafld}\noutlier_limits: {cells: 1, rows: 0}"), "utf-8")
    assert house.start("pseudonymize", plan).code == 0, house.ended["pseudonymize"].said
    assert house.start("verify").told["verdict"] == "equal"
    found = {name: house.staged(name) for name in ("patients", "labs", "events")}
    n = (17_549 - len(stopped)) // 4
    assert (len(found["patients"]), found["patients"]["id"].nunique()) == (n, n)
    assert house.counts("patients")["rows"]["stopped"] == len(stopped)
    drawn = set(found["patients"]["id"])
    assert set(found["labs"]["id"]) | set(found["events"]["id"]) <= drawn
    # Weights are left out: their cut-offs are those of the people drawn.
    others = {
        "patients": expected["patients"][~expected["patients"]["id"].isin(stopped)].drop(columns="weight"),
        "labs": expected["labs"],
        "events": expected["events"],
    }
    told = Counter(described(others | {"patients": others["patients"]}))
    assert Counter(described(found | {"patients": found["patients"].drop(columns="weight")})) <= told


def test_rows_of_somebody_whom_the_register_does_not_list_stop_the_run(
    new_house: Callable[..., Any], raw: Callable[[str, str], pd.DataFrame]
) -> None:
    """The plan says so; nobody's rows are dropped in silence. The message counts them and tells no id."""
    house = new_house(*DATA_SETS)
    listed = set(raw("survival", "nafld1")["id"])
    assert set(raw("survival", "nafld2")["id"]) | set(raw("survival", "nafld3")["id"]) <= listed
    strange = pa.table({"id": [987_654, 987_655], "days": [1, 2], "event": ["htn", "MI"]})
    write_source(strange, house.environment.zone("source") / "examples/nafld3", mode="append")
    ended = house.start("pseudonymize", conf_path("plans/nafld.yaml"))
    assert ended.code == 1
    assert "examples/nafld3" in ended.said
    assert "register does not list (at least 2)" in ended.said
    assert "98765" not in ended.said
    assert not list(house.environment.zone("staging").local.rglob("*.parquet"))
