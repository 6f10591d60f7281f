"""jobs/combination/README.md: its commands run as they stand, and A's result is what it says."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from datetime import date
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import pytest
from deltalake import DeltaTable

from jobs import cli
from jobs.party_tables import STOPS, TABLES
from transforms.combination.model import Combination, Party

from .conftest import ROOT, Command, page

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GUIDE, CONF = page("jobs/combination/README.md"), page("conf/README.md")


def commands(*steps: str) -> list[Command]:
    """The commands of the block with these steps, its variables put in; each says which step it is by its words."""
    found = [part.splitlines() for part in GUIDE.blocks("bash")]
    (lines,) = [one for one in found if [_step(line) for line in one if line.startswith("gamyeong")] == list(steps)]
    variables = dict(line.split("=", 1) for line in lines if not line.startswith("gamyeong"))
    wanted = {line for line in lines if line.startswith("gamyeong")}
    return [
        Command(one.text, tuple(Template(word).substitute(variables) for word in one.words), one.exit)
        for one in GUIDE.commands()
        if one.text in wanted
    ]


def _step(line: str) -> str:
    words = line.split()
    return words[2] if words[1] == "combination" else words[1]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where a newcomer stands: beside conf."""
    (tmp_path / "conf").symlink_to(ROOT / "conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.spark
def test_the_first_commands_run(spark: SparkSession, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for command in commands("check", "play", "status"):
        assert cli.main(command.words[1:]) == command.exit, command.text
        told = capfd.readouterr().out
    assert "CLOSED" in told
    assert "rehearsal/A/published/generated" in GUIDE.text
    (place,) = [path.parent for path in Path("rehearsal/A/published/generated").rglob("_delta_log")]
    result = DeltaTable(place).to_pyarrow_table()
    # Six in ten of 3,000 are in both, but for a missing phone in a thousand.
    assert 1_780 <= result.num_rows <= 1_800
    assert not {"member_no", "cust_nm", "hp", "birth_dt", "serial"} & set(result.schema.names)


@pytest.mark.spark
def test_somebody_withdraws(spark: SparkSession, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Two members of A ask to stop after `keys`: what A gets is the join by hand without them."""
    told = {}
    for command in commands("play", "generate", "void", "play"):
        assert cli.main(command.words[1:]) == command.exit, command.text
        told[_step(command.text)] = capfd.readouterr().out
    assert "2 withdrawn subjects sent" in told["void"]
    august = {party: in_august(here / "withdrawn" / party / "source" / TABLES[party]) for party in "AB"}
    stopped = set(rows(here / "withdrawn" / "A" / "source" / STOPS, "member_no"))
    assert len(stopped) == 5
    both = {august["A"][person] for person in august["A"].keys() & august["B"].keys()}
    assert len(both & stopped) >= 2  # else it would tell nothing
    (place,) = [path.parent for path in (here / "withdrawn/A/published").rglob("_delta_log")]
    result = DeltaTable(place).to_pyarrow_table()
    assert result.num_rows == len(both - stopped)


def rows(table: Path, *columns: str) -> list[Any]:
    found = DeltaTable(table).to_pyarrow_table(columns=list(columns)).to_pylist()
    return [tuple(row.values()) if len(columns) > 1 else row[columns[0]] for row in found]


def in_august(table: Path) -> dict[tuple[str, str, str], Any]:
    """A party's subject by name, phone and birth as one would compare them by hand; nobody without a phone."""
    own = {"fuel": ("cust_nm", "hp", "birth_dt", "member_no"), "housing": ("name", "mobile", "birthday", "resident")}
    found = rows(table, "reference_on", *own[table.parent.name])
    return {
        (unicodedata.normalize("NFC", name), re.sub(r"\D", "", phone), re.sub(r"\D", "", str(birth))): subject
        for day, name, phone, birth, subject in found
        if day == date(2024, 8, 1) and phone is not None
    }


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
