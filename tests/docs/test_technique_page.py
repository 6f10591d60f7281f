"""transforms/README.md: its technique is whole and works; the catalogue is what the classes say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from ruamel.yaml import YAML

from jobs import retail
from transforms import catalogue_page
from transforms.compiler import compile_plan
from transforms.errors import PlanError, Site, TechniqueError
from transforms.families import family_of
from transforms.given import Given
from transforms.images import Anything
from transforms.plan_loader import load
from transforms.techniques import TECHNIQUES, parse_steps
from transforms.techniques.keep import Keep

from .conftest import ROOT, page

PAGE = page("transforms/README.md")
CATALOGUE = page("transforms/techniques/README.md")
PLAN = ROOT / "conf/plans/first.yaml"
GIVEN = Given(Site("t", "c", 0, "columns.c.apply[0]"))


@pytest.fixture(scope="module")
def customers() -> pa.Table:
    made = retail.Retail(4000, 1, retail.districts())
    return pa.Table.from_batches([made.chunk(number) for number in range(made.chunks)])


@pytest.fixture
def length(monkeypatch: pytest.MonkeyPatch) -> type[Any]:
    """The page's technique, registered as its step 2 says."""
    code = next(block for block in PAGE.blocks("python") if "class Length" in block)
    names: dict[str, Any] = {"__name__": "transforms.techniques.lengths"}
    exec(code, names)  # noqa: S102 - the page's own code is what is tested
    made: type[Any] = names["Length"]
    monkeypatch.setitem(TECHNIQUES, made.name, made)
    return made


def test_the_examples_of_the_new_technique_hold(length: type[Any]) -> None:
    (example,) = length.EXAMPLES
    (step,) = parse_steps({"length": example.parameters})
    result = step.apply(pa.array(example.values, pa.string()), GIVEN)
    assert result.to_pylist() == example.expected
    assert result.type == step.output_type(pa.string())
    image = step.applied_image(Anything(), GIVEN)
    assert image.contains(result).all()
    assert image.contains(pa.array([-1, 6, 3, None])).tolist() == [False, False, True, True]
    assert [step.wording(language).method for language in ("ko", "en")] == ["글자 수", "length"]


def test_the_new_technique_refuses_what_its_docstring_says(length: type[Any]) -> None:
    with pytest.raises(TechniqueError, match="text"):
        length(longest=5).output_type(pa.int64())


def test_a_plan_can_use_it_at_once(length: type[Any], customers: pa.Table, tmp_path: Path) -> None:
    text = PLAN.read_text("utf-8")
    old = "coding: {M: 남, F: 여}, apply: keep}"
    assert old in text
    plan = tmp_path / "plan.yaml"
    plan.write_text(text.replace(old, "apply: {length: {longest: 200}}}"), "utf-8")
    loaded = load(plan, [ROOT / "conf/hierarchies"])
    pipeline = compile_plan(loaded.plan, customers.schema, loaded.hierarchies, loaded.lines)
    assert "length (number of characters, 200 at most) [string → int64]" in pipeline.explain()
    assert "`longest` | a whole number, above 0 | needed" in catalogue_page.page()
    plan.write_text(text.replace(old, "apply: {length: {longest: 0}}}"), "utf-8")
    with pytest.raises(PlanError, match="longest"):
        load(plan, [ROOT / "conf/hierarchies"])


def test_the_lines_for_notebooks_run(
    customers: pa.Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    code = next(block for block in PAGE.blocks("python") if "apply_table" in block)
    names: dict[str, Any] = {"source": customers}
    exec(code, names)  # noqa: S102 - the page's own code is what is tested
    delivered: pa.Table = names["delivered"]
    # The plan draws half of them; who is under 20 is left out (seen in the source by plain Python).
    young = sum(age < 20 for age in customers["age"].to_pylist())
    assert 2000 - young <= delivered.num_rows <= 2000
    assert "customer_id: serial number" in capsys.readouterr().out


def test_the_catalogue_is_current() -> None:
    told = "run: python -m transforms.catalogue_page > transforms/techniques/README.md"
    assert CATALOGUE.text == catalogue_page.page(), told


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
def test_the_catalogue_shows_each_technique_as_a_plan_writes_it(name: str) -> None:
    section = re.split(r"\n###? ", CATALOGUE.text.split(f"\n### {name}\n")[1])[0]
    technique = TECHNIQUES[name]
    assert technique.korean in section
    steps = re.findall(rf"^\| `({name}(?:: .*?)?)` \| ", section, re.MULTILINE)
    shown = [parse_steps(YAML(typ="safe", pure=True).load(step)) for step in steps]
    assert shown == [parse_steps({name: example.parameters}) for example in technique.EXAMPLES]


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
def test_each_technique_says_what_it_keeps_and_how_it_is_attacked(name: str) -> None:
    technique = TECHNIQUES[name]
    parts = catalogue_page.parts_of(technique)
    assert parts.first
    missing = [label for label in ("Kept", "Lost", "Nulls", "Attack", "Source") if not parts.labels.get(label)]
    assert not missing, f"the docstring of {technique.__name__} lacks {missing}"
    assert re.search(r"guideline L[0-9]", parts.labels["Source"])
    assert family_of(name).names, f"name {name} under its family in transforms/families.py"


def test_the_index_leads_to_each_section() -> None:
    for name, technique in TECHNIQUES.items():
        assert f"| [{name}](#{name}) | {technique.korean} |" in CATALOGUE.text
        assert CATALOGUE.text.count(f"\n### {name}\n") == 1
    assert "[techniques/](techniques/README.md)" in PAGE.text


def test_parts_of_a_docstring() -> None:
    class Sample(Keep):
        """One line. Null stays null.

        More about it, null or not. A null there is removed.

        Kept: this. Lost: that;
        and more. Attack: so. What helps: care. Source: guideline L1 (가).
        """

    parts = catalogue_page.parts_of(Sample)
    assert (parts.first, parts.body) == ("One line.", ("More about it, null or not.",))
    assert parts.labels == {
        "Nulls": "Null stays null. A null there is removed.",
        "Kept": "this.",
        "Lost": "that; and more.",
        "Attack": "so. What helps: care.",
        "Source": "guideline L1 (가).",
    }


def test_phases_stand_in_the_order_of_the_code() -> None:
    """The page's list, against what `--explain` prints of a plan that has them."""
    told = PAGE.text.split("Fixed, in this order:")[1].split(". Facts")[0]
    names = [" ".join(one.split()) for one in told.split("→")]
    loaded = load(PLAN)
    printed = compile_plan(loaded.plan, retail.schema(), loaded.hierarchies, loaded.lines).explain()
    words = {"stop requests": "stop requests", "sample": "sample of", "row rules": "rows:", "facts": "facts about",
             "column techniques": "column techniques", "outliers": "outlier rule", "keyed order and serial numbers":
             "keyed order"}  # fmt: skip
    assert set(words) <= set(names)
    places = [printed.index(words[name]) for name in names if name in words]
    assert places == sorted(places)
