"""jobs/combination/README.md: its first commands run as they stand, and A's result lies where it says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from deltalake import DeltaTable

from jobs import cli
from transforms.combination.model import Combination, Party

from .conftest import ROOT, page

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GUIDE, CONF = page("jobs/combination/README.md"), page("conf/README.md")


@pytest.mark.spark
def test_the_first_commands_run(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    monkeypatch.chdir(tmp_path)
    commands = GUIDE.commands()
    assert [command.words[2] for command in commands] == ["check", "play", "status"]
    for command in commands:
        assert cli.main(command.words[1:]) == command.exit, command.text
        told = capfd.readouterr().out
    assert "CLOSED" in told
    assert "rehearsal/A/published/generated" in GUIDE.text
    (place,) = [path.parent for path in Path("rehearsal/A/published/generated").rglob("_delta_log")]
    result = DeltaTable(place).to_pyarrow_table()
    # Six in ten of 3,000 are in both, but for a missing phone in a thousand.
    assert 1_780 <= result.num_rows <= 1_800
    assert not {"member_no", "cust_nm", "hp", "birth_dt", "serial"} & set(result.schema.names)


def test_every_step_is_told() -> None:
    from jobs.combination.steps import STEPS

    untold = [name for name in STEPS if f"`{name}" not in GUIDE.text and f"combination {name}" not in GUIDE.text]
    assert untold == []


def test_every_key_of_a_combination_file_is_told_in_conf() -> None:
    told = CONF.text.split("## Combinations")[1].split("## Plans")[0]
    keys = {*Combination.model_fields, *Party.model_fields}
    for name in ("roles", "key", "series", "options", "outputs", "export"):
        model = Combination.model_fields[name].annotation
        inner = [one for one in (model, *getattr(model, "__args__", ())) if hasattr(one, "model_fields")]
        keys |= {key for one in inner for key in one.model_fields}
    assert len(keys) > 25
    assert [key for key in sorted(keys) if key not in told] == []


def test_the_section_of_the_environment_is_one_that_is_read(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    from jobs.environment import load_environment
    from jobs.storage import conf_path

    block = next(text for text in re.findall(r"```yaml\n(.*?)```", GUIDE.text, re.DOTALL))
    yaml = YAML()
    raw = yaml.load(conf_path("environments/local.yaml"))
    raw["combination"] = yaml.load(textwrap.dedent(block))["combination"]
    file = tmp_path / "A.yaml"
    yaml.dump(raw, file)
    found = load_environment(file).exchange
    assert (found.name, set(found.outboxes)) == ("A", {"KMA", "CA"})
