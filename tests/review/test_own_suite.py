"""Our expectations in an engineer's own suite, on a DataFrame that no run of ours has made."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.spark


def test_ours_stand_beside_great_expectations_own(spark: Any) -> None:
    import great_expectations as gx

    from transforms.expectations.measured import ExpectLDiversity
    from transforms.expectations.own import ExpectNoIdentifiersInColumn

    told = [("30", "감기", "문의 010-9999-4567로"), ("30", "골절", "없음")]
    rows = [*told, ("40", "감기", None), ("40", "감기", "없음")]
    frame = spark.createDataFrame(rows, "age string, disease string, memo string")
    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_spark("mine", persist=False)
    batch = source.add_dataframe_asset("a").add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name="mine")
    suite.add_expectation(gx.expectations.ExpectColumnValuesToNotBeNull(column="disease"))
    suite.add_expectation(ExpectLDiversity(column="disease", quasi_identifiers=["age"], l=2))
    suite.add_expectation(ExpectNoIdentifiersInColumn(column="memo"))
    suite.add_expectation(ExpectNoIdentifiersInColumn(column="disease"))
    done = batch.validate(suite)
    configs = [one.expectation_config for one in done.results]
    found = {(config.type, config.kwargs["column"]): one for config, one in zip(configs, done.results, strict=True)}
    assert found["expect_column_values_to_not_be_null", "disease"].success
    (diverse,) = [one for (kind, _), one in found.items() if kind == "expect_l_diversity"]
    assert (diverse.success, diverse.result["l"]) == (False, 1)  # both people of 40 have the same
    assert found["expect_no_identifiers_in_column", "disease"].success
    memo = found["expect_no_identifiers_in_column", "memo"]
    assert (memo.success, dict(memo.result)) == (False, {"kinds": ["phone"], "left": 1})
    assert "010-9999-4567" not in str(done.to_json_dict())
