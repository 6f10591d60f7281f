"""The one DAG file: an Airflow DAG for each file in conf/schedules.

`python dags.py` tells the problems of all schedule files at once and ends with 2 if there are any.
"""

from __future__ import annotations

import sys

from airflow.sdk import DAG

from gamyeong_dags import places
from gamyeong_dags.broken_dag import broken_dag
from gamyeong_dags.combination_dag import combination_dags
from gamyeong_dags.due_dag import due_dag
from gamyeong_dags.plan_dag import plan_dag
from gamyeong_dags.problems import UnfitFile
from gamyeong_dags.schedule import DueSchedule, PlanSchedule, Scheduled, load_all


def made(one: Scheduled) -> list[DAG]:
    """The DAGs of a schedule."""
    if isinstance(one.model, PlanSchedule):
        return [plan_dag(one, one.model)]
    if isinstance(one.model, DueSchedule):
        return [due_dag(one, one.model)]
    return combination_dags(one, one.model)


def all_dags() -> tuple[list[DAG], list[UnfitFile]]:
    """DAGs of all files that are fit, and what is wrong with the others."""
    good, bad = load_all(places.schedules())
    dags = []
    for one in good:
        try:
            dags += made(one)
        except UnfitFile as error:
            bad.append(error)
        except Exception as error:  # noqa: BLE001 - Airflow's own rules: no file takes the others' DAGs away
            bad.append(UnfitFile(one.file, [f": Airflow takes no DAG made of it ({type(error).__name__})"]))
    return dags, bad


DAGS, PROBLEMS = all_dags()
for dag in [*DAGS, *map(broken_dag, PROBLEMS)]:
    globals()[f"dag_{dag.dag_id}"] = dag

if __name__ == "__main__":
    for problem in PROBLEMS:
        print(problem, file=sys.stderr)
    sys.exit(2 if PROBLEMS else 0)
