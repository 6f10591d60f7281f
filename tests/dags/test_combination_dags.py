"""The DAGs of a combination: a group for each role that runs here, its steps in order, its own environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gamyeong_dags.combination_file import CombinationFile, Series, load_combination_file
from gamyeong_dags.problems import UnfitFile
from gamyeong_dags.schedule import CombinationSchedule, load_schedule
from tests.dags.conftest import ROOT, Workplace
from transforms.combination.loader import load_combination

LOAD = """
import json
import dags
found = {d.dag_id: {
    "after": {t.task_id: sorted(t.upstream_task_ids) for t in d.tasks},
    "environment": {t.task_id: t.place.file.name for t in d.tasks if hasattr(t, "place")},
    "active": d.max_active_runs, "catchup": d.catchup, "doc": d.doc_md,
    "start": str(d.start_date)[:10], "end": str(d.end_date)[:10],
} for d in dags.DAGS}
print(json.dumps({"dags": found, "problems": [str(p) for p in dags.PROBLEMS]}))
"""
COMBINATION = """combination: trio
roles: {key_agency: KMA, combining_agency: CA}
parties:
  A: {supplies: a, uses: true}
  B: {supplies: b}
  C: {supplies: c, optional: true}
key: {columns: [name]}
series: {every: month, first: 2024-07, last: 2025-06, keys_due: 5, attributes_due: 12}
options: {join_rate: {floor: 0.05}, extraction: {cover: equal}}
outputs: [{user: A, join: inner-multi, base: A, plan: out.yaml}]
"""
ALL = {
    "environments": {name: f"../{name}.yaml" for name in ("A", "B", "C", "KMA", "CA")},
    "plans": {name: f"../{name}.plan.yaml" for name in "ABC"},
    "export_applications": {"A": "../form.yaml"},
}


def placed(workplace: Workplace, files: dict[str, dict[str, str]], combination: str = COMBINATION) -> Path:
    """A combination, and its schedule with these files."""
    (workplace.folder / "trio.yaml").write_text(combination)
    for names in files.values():
        for name in names.values():
            (workplace.folder / "schedules" / name).resolve().touch()
    text = "schedule: trio\ncombination: ../trio.yaml\nowner: office\nstart: 2020-01-01\n"
    for key, names in files.items():
        text += f"{key}:\n" + "".join(f"  {name}: {path}\n" for name, path in names.items())
    file = workplace.folder / "schedules" / "trio.yaml"
    file.write_text(text)
    return file


def loaded(workplace: Workplace) -> Any:
    return workplace.inside(LOAD)


def test_each_role_has_its_steps_and_its_own_environment(workplace: Workplace) -> None:
    placed(workplace, ALL)
    found = loaded(workplace)
    assert found["problems"] == []
    dag = found["dags"]["trio"]
    after = dag["after"]
    for task, file in dag["environment"].items():
        assert file == f"{task.split('.')[0]}.yaml"
    assert after["CA.receive"] == ["A.apply", "B.apply", "C.apply"]
    assert after["KMA.salt"] == ["A.prove", "B.prove", "C.prove"]
    assert after["A.keys"] == ["A.prove", "CA.receive", "KMA.salt"]
    assert after["KMA.keys_in"] == ["A.keys", "B.keys", "C.keys"]
    assert after["KMA.rate"] == ["KMA.keys_in", "KMA.salt"]
    assert (after["KMA.extract"], after["KMA.link"]) == (["KMA.rate"], ["KMA.extract"])
    assert after["B.attributes"] == ["B.keys", "KMA.extract"]
    assert after["CA.combine"] == ["CA.attributes_in", "CA.receive", "KMA.link"]
    assert after["CA.adequacy"] == ["CA.process"]
    assert after["CA.votes_A"] == ["A.apply_export", "CA.adequacy"]
    assert after["CA.export"] == ["CA.votes_A"]
    assert after["A.take"] == ["A.apply_export", "CA.export"]
    assert after["KMA.close"] == ["CA.close", "KMA.link"]
    assert after["A.forget"] == ["A.attributes", "A.take", "CA.close"]


def test_the_rounds_are_those_of_the_series_one_at_a_time(workplace: Workplace) -> None:
    placed(workplace, ALL)
    dag = loaded(workplace)["dags"]["trio"]
    assert (dag["start"], dag["end"]) == ("2024-07-01", "2025-06-01")
    assert (dag["active"], dag["catchup"]) == (1, True)


def test_optional_steps_are_there_only_where_the_file_says_so(workplace: Workplace) -> None:
    placed(workplace, ALL, COMBINATION.replace("options: {join_rate: {floor: 0.05}, extraction: {cover: equal}}\n", ""))
    after = loaded(workplace)["dags"]["trio"]["after"]
    assert "KMA.rate" not in after
    assert "KMA.extract" not in after
    assert after["KMA.link"] == ["KMA.keys_in", "KMA.salt"]


def test_a_mock_combination_comes_before_any_key_and_is_destroyed(workplace: Workplace) -> None:
    mock = COMBINATION.replace("options: {", "options: {mock: {rounds: [2024-07]}, ")
    placed(workplace, ALL, mock)
    after = loaded(workplace)["dags"]["trio"]["after"]
    assert after["B.mock_keys"] == ["B.apply", "KMA.mock_salt"]
    assert after["CA.mock_choose"] == ["A.mock_keys", "B.mock_keys", "C.mock_keys"]
    assert after["CA.mock_analysed"] == ["CA.mock_combine"]
    assert after["B.mock_destroy"] == ["B.mock_attributes", "CA.mock_analysed"]
    assert "B.mock_destroy" in after["B.keys"]


def test_an_organisation_runs_its_own_steps_alone(workplace: Workplace) -> None:
    placed(workplace, {"environments": {"KMA": "../KMA.yaml"}})
    dag = loaded(workplace)["dags"]["trio"]
    own = {"KMA.salt", "KMA.keys_in", "KMA.rate", "KMA.extract", "KMA.link", "KMA.close"}
    assert set(dag["after"]) == own
    assert "elsewhere: A, B, C, CA" in dag["doc"]


def test_sending_again_is_a_dag_of_its_own(workplace: Workplace) -> None:
    placed(workplace, ALL)
    after = loaded(workplace)["dags"]["trio.resend"]["after"]
    assert after["B.keys"] == ["KMA.salt"]
    assert after["CA.process"] == ["CA.combine"]
    assert "CA.export" not in after


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"environments": {"KMB": "../KMA.yaml"}}, ["environments.KMB: no such role", "did you mean KMA?"]),
        ({"environments": {"B": "../B.yaml"}}, ["plans: B runs here and has none; add B: FILE"]),
        ({**ALL, "export_applications": {}}, ["export_applications: A runs here and has none"]),
        ({**ALL, "plans": {**ALL["plans"], "CA": "../A.plan.yaml"}}, ["plans.CA: no such role; allowed: A, B, C"]),
    ],
)
def test_what_does_not_fit_the_combination_is_told(
    workplace: Workplace, files: dict[str, dict[str, str]], words: list[str]
) -> None:
    one = load_schedule(placed(workplace, {key: names for key, names in files.items() if names}))
    assert isinstance(one.model, CombinationSchedule)
    with pytest.raises(UnfitFile) as caught:
        load_combination_file(one, one.model)
    for word in words:
        assert word in str(caught.value)


def test_a_round_that_is_none_is_told_with_its_line(workplace: Workplace) -> None:
    one = load_schedule(placed(workplace, ALL, COMBINATION.replace("last: 2025-06", "last: 2025-13")))
    assert isinstance(one.model, CombinationSchedule)
    with pytest.raises(UnfitFile, match=r"trio.yaml, line 8, series.last: no month"):
        load_combination_file(one, one.model)


@pytest.mark.parametrize(("every", "first"), [("month", "2024-11"), ("week", "2024-W52"), ("quarter", "2024-Q4")])
def test_what_is_late_is_what_the_combination_says(tmp_path: Path, every: str, first: str) -> None:
    """The scheduler reads the file by itself; the jobs' own reading is the measure."""
    text = (ROOT / "conf" / "combinations" / "nafld.yaml").read_text()
    last = {"month": "2025-03", "week": "2025-W03", "quarter": "2025-Q2"}[every]
    text = text.replace("every: month, first: 2024-07, last: 2025-06", f"every: {every}, first: {first}, last: {last}")
    (tmp_path / "nafld.yaml").write_text(text)
    combination = load_combination(tmp_path / "nafld.yaml")
    assert combination.series is not None
    series = Series(every=every, first=first, last=last, keys_due=10, attributes_due=20)
    for name in combination.rounds():
        due = combination.due(name)
        assert due is not None
        assert (series.over(name, 10) - due.keys).days == 1
        assert (series.over(name, 20) - due.attributes).days == 1
    assert CombinationFile.model_fields.keys() <= type(combination).model_fields.keys()
