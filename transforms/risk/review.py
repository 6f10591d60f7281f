"""All figures of one table: what the risk review shows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.kernels.codes import numbered
from transforms.risk.attackers import journalist, marketer, prosecutor
from transforms.risk.combinations import Combinations
from transforms.risk.figures import Band, ClassFigures, ColumnFigures, PopulationFigures, RiskFigures, Unit
from transforms.risk.frequencies import frequencies, population_frequencies
from transforms.risk.individual import individual
from transforms.risk.keys import Longs, steady_sum
from transforms.risk.population import no_models, population_models
from transforms.risk.special_uniques import special_uniques, survey_all
from transforms.risk.subsets import Surveyor, survey

_STARTS = (1, 2, 3, 4, 5, 10, 20, 50, 100, 1_000, 10_000)


@dataclass(frozen=True)
class Classes:
    """Each class of a table: its `records`, those that may agree with it (`sizes`; more only by wildcards), and the
    persons of the population that do, known or estimated (None: unknown).
    """

    records: Longs
    sizes: Longs
    people: NDArray[np.float64] | None


def risk_figures(
    given: Combinations,
    *,
    threshold: int,
    unit: Unit = "rows",
    wildcards: Collection[str] = (),
    population: int | None = None,
    subset_size: int = 3,
    surveyor: Surveyor | None = None,
) -> RiskFigures:
    """Everything that distinct combinations of quasi-identifiers tell of risk, in this process.

    `threshold`: records in classes smaller than it are at risk. `unit` says what a record is. In columns of
    `wildcards` a null may be any value, elsewhere it is a value. `population`: how many persons the records were drawn
    from (default: the sum of the combinations' own population, where they have one); persons of each class are then
    their own population, or else the class's records by the sampling fraction. `subset_size`: subsets of so many
    columns at most are looked at, and minimal sample uniques among them. `surveyor` looks at subsets elsewhere (in
    tasks of Spark). No record: everything 0. ValueError for a threshold or size below 1, a population smaller than its
    sample (in persons), a wildcard that is no column, wildcards where persons have several combinations.
    """
    if threshold < 1 or subset_size < 1:
        raise ValueError("a threshold or a size of subsets below 1; allowed: from 1")
    if population is None and given.population is not None:
        population = round(float(given.population.sum()))
    persons = given.people
    if population is not None and population < persons:
        raise ValueError("a population smaller than its sample; allowed: the sample's records or more")
    classes = classes_of(given, wildcards, population)
    look = surveyor or (lambda subsets: [survey(given, places, threshold, wildcards) for places in subsets])
    subsets, scores = survey_all(given, subset_size, look)
    fraction = persons / population if population and persons else None
    people = classes.people
    return RiskFigures(
        unit=unit,
        records=given.records,
        quasi_identifiers=given.names,
        wildcards=tuple(name for name in given.names if name in wildcards),
        threshold=threshold,
        population=population,
        columns=tuple(column_figures(given, place) for place in range(len(given.names))),
        classes=class_figures(classes),
        subsets=subsets,
        prosecutor=prosecutor(classes.records, classes.sizes, threshold),
        journalist=None if people is None else journalist(classes.records, people, threshold),
        marketer=marketer(classes.records, classes.sizes.astype(np.float64) if people is None else people),
        population_models=_models(given, classes, population),
        individual=None if people is None else individual(classes.records, classes.sizes, people, threshold),
        special_uniques=special_uniques(given, scores, subset_size, fraction, wildcards) if given.names else None,
    )


def classes_of(given: Combinations, wildcards: Collection[str] = (), population: int | None = None) -> Classes:
    """The classes over all columns. Of a person with several combinations, each of them is a record."""
    sizes = frequencies(given, wildcards=wildcards)
    people = None if given.population is None else population_frequencies(given, wildcards=wildcards)
    records = given.counts
    if given.persons is not None:
        _, first = numbered(*given.keys(range(len(given.names))))
        sizes = records = sizes[first]
    if people is None and population is not None and given.records:
        people = sizes.astype(np.float64) * (population / given.people)
    return Classes(records, sizes, people)


def _models(given: Combinations, classes: Classes, population: int | None) -> tuple[PopulationFigures, ...]:
    if population is None:
        return ()
    if given.persons is not None:
        return no_models("persons stand in several classes")
    return population_models(classes.records, population)


def class_figures(classes: Classes) -> ClassFigures:
    """How the classes' sizes spread, in bands without gaps."""
    ends = [start - 1 for start in _STARTS[1:]]
    bands = []
    for start, end in zip(_STARTS, [*ends, None], strict=True):
        within = classes.sizes >= start
        if end is not None:
            within &= classes.sizes <= end
        bands.append(Band(start, end, int(within.sum()), int(classes.records[within].sum())))
    unique = int(classes.records[classes.sizes == 1].sum())
    smallest = int(classes.sizes.min()) if len(classes.sizes) else 0
    return ClassFigures(smallest, len(classes.sizes), unique, tuple(bands))


def column_figures(given: Combinations, place: int) -> ColumnFigures:
    """One column alone: its values' records (distinct persons where these have several combinations)."""
    keys, bound = given.keys([place])
    _, first = numbered(keys, bound)
    sizes = frequencies(given, [given.names[place]])[first]
    shares = sizes / sizes.sum() if len(sizes) else np.zeros(0)
    blank = given.blanks(place)[first]
    return ColumnFigures(
        column=given.names[place],
        distinct=len(first),
        nulls=int(sizes[blank].sum()),
        unique=int((sizes == 1).sum()),
        smallest=int(sizes.min()) if len(sizes) else 0,
        largest=int(sizes.max()) if len(sizes) else 0,
        entropy=steady_sum(-shares * np.log2(shares)) + 0.0,
        highest=float(np.log2(len(first))) if len(first) else 0.0,
    )


__all__ = ["Classes", "class_figures", "classes_of", "column_figures", "risk_figures"]
