"""suite.json in an engineer's hands: loaded from disk in a fresh process with gx and our package, and run."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.spark

# What the engineer writes. The environment has the zones that reviewers see; facts go in as a parameter.
ENGINEER = """
import os, sys
os.environ["GX_ANALYTICS_ENABLED"] = "false"
import great_expectations as gx
from jobs.adequacy import planned, run_facts, staged_table
from jobs.environment import load_environment
from jobs.runs import find_run
from transforms.expectations.handed import handed_in
from transforms.expectations.suite import load_suite

environment = load_environment(sys.argv[1]).only(reads=("staging", "additional-information", "evidence"))
folder = find_run(environment, None)
record = folder.load_record()
suite = load_suite(folder.suite.local.read_text("utf-8"))
frame, handed = staged_table(folder, record.tables[0], planned(folder, record), run_facts(folder))
context = gx.get_context(mode="ephemeral")
source = context.data_sources.add_spark("mine", persist=False)
batch = source.add_dataframe_asset("a").add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
with handed_in(handed) as parameters:
    result = batch.validate(suite, expectation_parameters=parameters)
print("RESULT", result.success, len(result.results))
print("WHOLE", result.to_json_dict())
failed = batch.validate(suite, expectation_parameters={"reviewed": handed.name})
print("WITHOUT", failed.success)
"""


def run(clinic: Any) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ENGINEER, str(clinic.environment_file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.split(" ")[0] in ("RESULT", "WHOLE", "WITHOUT")]


def test_an_engineer_loads_the_suite_and_runs_it(clinic: Any) -> None:
    clinic.stage().review()
    raw = json.loads(clinic.folder.suite.local.read_text())
    assert set(raw) >= {"name", "expectations", "meta"}  # Great Expectations' own form
    assert all(one["kwargs"]["reviewed"] == {"$PARAMETER": "reviewed"} for one in raw["expectations"])
    result, whole, without = run(clinic)
    assert result == f"RESULT True {len(raw['expectations'])}"
    # Great Expectations writes parameters into its results; ours are names, so nothing measured is there
    facts = clinic.made.facts.concluded
    cuts = [str(named["cut"].cut) for named in facts.values()]
    assert len(cuts) == 2
    assert not any(cut in whole for cut in cuts)
    assert not any(word in whole for word in ("서울", "수도권", "010-"))
    # and without the facts handed in nothing passes
    assert without == "WITHOUT False"
