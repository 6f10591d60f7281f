"""Every technique's EXAMPLES hold, lie in its image, and can be read in two languages."""

from __future__ import annotations

import pyarrow as pa
import pytest

from transforms.errors import Site
from transforms.given import Given
from transforms.images import Anything
from transforms.technique import ColumnTechnique, Example, Language
from transforms.techniques import TECHNIQUES, parse_steps

CASES = [
    pytest.param(name, example, id=f"{name}-{number}")
    for name, technique in TECHNIQUES.items()
    for number, example in enumerate(technique.EXAMPLES)
]
# Their result is keyed, or needs the rows of a whole run: shown in tests of their own.
WITHOUT_EXAMPLES = {
    "anatomization",
    "combination-serial",
    "date-shift",
    "differential-privacy",
    "format-preserving-encryption",
    "homomorphic-encryption",
    "keyed-token",
    "permutation",
    "noise",
    "one-way-hash",
    "order-preserving-encryption",
    "polymorphic-pseudonym",
    "pseudonym",
    "random-replacement",
    "random-rounding",
    "record-suppression",
    "secret-sharing",
    "serial-number",
    "tokenization",
    "two-way-encryption",
}


def arrow_type(name: str) -> pa.DataType:
    if name.startswith("decimal128"):
        precision, scale = name.removeprefix("decimal128(").rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale))
    return pa.type_for_alias(name)


@pytest.mark.parametrize(("name", "example"), CASES)
def test_example(name: str, example: Example) -> None:
    (step,) = parse_steps({name: example.parameters})
    assert isinstance(step, ColumnTechnique)
    source = pa.array(example.values, arrow_type(example.type))
    columns = {column: pa.array(values) for column, values in example.columns.items()}
    facts = {name: fact() if callable(fact) else fact for name, fact in example.facts.items()}
    given = Given(Site("t", "c", 0, "columns.c.apply[0]"), facts=facts, columns=columns)
    result = step.apply(source, given)
    assert result.to_pylist() == example.expected
    assert result.type == step.applied_type(source.type)
    assert step.applied_image(Anything(), given).contains(result).all()


@pytest.mark.parametrize("name", sorted(TECHNIQUES))
def test_every_technique_has_a_name_a_source_and_examples(name: str) -> None:
    technique = TECHNIQUES[name]
    assert technique.name == name
    assert technique.korean
    assert "guideline L" in (technique.__doc__ or "")
    assert bool(technique.EXAMPLES) != (name in WITHOUT_EXAMPLES)
    assert all(example.source for example in technique.EXAMPLES)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("name", "example"), CASES)
def test_wording_is_written_in_both_languages(name: str, example: Example, language: Language) -> None:
    (step,) = parse_steps({name: example.parameters})
    wording = step.wording(language)
    assert wording.method
    assert wording.level
    hangul = any("가" <= letter <= "힣" for letter in wording.method)
    assert hangul == (language == "ko")
