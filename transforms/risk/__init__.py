"""Re-identification risk (식별 위험성), computed from distinct combinations of quasi-identifiers and their numbers.

`review.risk_figures(Combinations.of(table, columns), threshold=…)` gives all `figures.RiskFigures` of an Arrow table;
`transforms.measures.risk.risk` those of a Spark table. Tasks import from here, so nothing is imported ahead of need.
"""
