"""Plans as jobs read them: with our own hierarchies at hand and the environment's policy floors held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from jobs.environment import Environment
from jobs.incidents.halted import halt_rule
from jobs.storage import conf_path
from transforms.errors import Problem
from transforms.plan_checks import LEAST_REVIEWERS
from transforms.plan_loader import Loaded, Rule, load
from transforms.plan_sections import Sections, part


def open_plan(path: str | Path, environment: Environment, schemas: Mapping[str, pa.Schema] | None = None) -> Loaded:
    """The plan in a file; PlanError with every problem, a floor that it does not meet among them (refused),
    and a quarantine of its output.

    `schemas` as for `transforms.plan_loader.load`.
    """
    rules = [floor_rule(environment), halt_rule(environment)]
    return load(path, [conf_path("hierarchies/region.csv").parent], schemas, rules)


def floor_rule(environment: Environment) -> Rule:
    """The environment's floor for the plan's form of use: a smaller k, fewer (external) reviewers are refused."""

    def rule(sections: Sections) -> Iterator[Problem]:
        form = part(sections, "use", "form")
        if form is None:
            return
        floor = environment.floor(form)
        k = part(sections, "adequacy", "k_anonymity", "k")
        if floor.k is not None and (k is None or k < floor.k):
            found = "no k-anonymity" if k is None else f"k = {k}"
            yield Problem(
                "adequacy.k-anonymity",
                found,
                f"k of {floor.k} or more: the environment's floor for {form}",
                refused=True,
            )
        reviewers = part(sections, "adequacy", "reviewers")
        if reviewers is not None and reviewers < floor.reviewers:
            yield Problem(
                "adequacy.reviewers",
                str(reviewers),
                f"{floor.reviewers} or more: the environment's floor for {form}",
                refused=True,
            )
        named = part(sections, "people", "reviewers") or ()
        # fewer than these are told with the plan's own faults
        if max(LEAST_REVIEWERS, reviewers or 0) <= len(named) < floor.reviewers:
            allowed = f"{floor.reviewers} or more, or none named: the environment's floor for {form}"
            yield Problem("people.reviewers", f"{len(named)} reviewers", allowed, refused=True)
        external = part(sections, "adequacy", "external")
        if external is not None and external < floor.external:
            allowed = f"{floor.external} or more: the environment's floor for {form}"
            yield Problem("adequacy.external", str(external), allowed, refused=True)

    return rule
