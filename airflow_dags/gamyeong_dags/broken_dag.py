"""The DAG that stands in for a schedule file that can't be read, so that the others go on and everyone sees it."""

from __future__ import annotations

import re
from typing import Any

from airflow.sdk import DAG, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from gamyeong_dags.problems import UnfitFile

NO_NAME = r"[^A-Za-z0-9_.-]"


class Broken(BaseOperator):
    """Fails with what is wrong."""

    def __init__(self, *, text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.text = text

    def execute(self, context: Any) -> None:
        """Tells it."""
        raise AirflowFailException(self.text)


def broken_dag(error: UnfitFile) -> DAG:
    """A DAG without a schedule, tagged `broken`, whose page says what to correct."""
    listed = (f"- {error.file.name}{one}" for one in error.problems)
    dag = DAG(
        dag_id=f"broken.{re.sub(NO_NAME, '-', error.file.stem)[:200]}",
        schedule=None,
        tags={"gamyeong", "broken"},
        doc_md="\n".join([f"# {error.file.name} can't be used", "", *listed]),
    )
    Broken(task_id="correct_the_file", text=str(error), retries=0, dag=dag)
    return dag
