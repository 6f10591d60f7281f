"""The turns of a round where one person plays all roles: which role takes which step with which words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import BadInput
from transforms.combination.model import Combination
from transforms.errors import PlanError
from transforms.plan_places import read_text
from transforms.yaml_nodes import read_yaml


@dataclass(frozen=True)
class Turn:
    """One role's step in a round, with its own words."""

    role: str
    step: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Papers:
    """Files that roles bring: plans of suppliers, applications of users that supply nothing, and for export."""

    plans: Mapping[str, Path]
    applications: Mapping[str, Path]
    exports: Mapping[str, Path]

    def application(self, party: str) -> tuple[str, ...]:
        """The words of `apply`."""
        if party in self.plans:
            return ("--plan", str(self.plans[party]))
        return ("--application", str(self.applications[party]))


def turns(combination: Combination, papers: Papers, round: str = "") -> Iterator[Turn]:
    """A round up to the combined tables' further processing, in order; with its mock where the file asks for one."""
    suppliers, roles = combination.suppliers, combination.roles
    plan = {party: ("--plan", str(papers.plans[party])) for party in suppliers}
    yield from (Turn(party, "apply", papers.application(party)) for party in combination.parties)
    yield Turn(roles.combining_agency, "receive")
    yield from (Turn(party, "prove") for party in suppliers)
    yield Turn(roles.key_agency, "salt")
    if combination.options.mock is not None and round in combination.options.mock.rounds:
        yield from _mock(combination, plan)
    yield from (Turn(party, "keys", plan[party]) for party in suppliers)
    if combination.options.join_rate is not None:
        yield Turn(roles.key_agency, "rate")
    if combination.options.extraction is not None:
        yield Turn(roles.key_agency, "extract")
    yield Turn(roles.key_agency, "link")
    yield from (Turn(party, "attributes", plan[party]) for party in suppliers)
    yield Turn(roles.combining_agency, "combine")


def _mock(combination: Combination, plan: Mapping[str, tuple[str, ...]]) -> Iterator[Turn]:
    """A mock combination (모의결합), which comes before the serials (L1403) and leaves nothing behind (L1443)."""
    suppliers, roles = combination.suppliers, combination.roles
    yield Turn(roles.key_agency, "mock-salt")
    yield from (Turn(party, "mock-keys", plan[party]) for party in suppliers)
    yield Turn(roles.combining_agency, "mock-choose")
    yield from (Turn(party, "mock-attributes", plan[party]) for party in suppliers)
    yield Turn(roles.combining_agency, "mock-combine")
    yield from (Turn(role, "mock-destroy") for role in (roles.combining_agency, roles.key_agency, *suppliers))


def last_turns(combination: Combination) -> Iterator[Turn]:
    """A round after its export."""
    yield from (Turn(user, "take") for user in combination.users)
    yield Turn(combination.roles.combining_agency, "close")
    yield Turn(combination.roles.key_agency, "close")
    yield from (Turn(party, "forget") for party in combination.suppliers)


def papers_of(
    file: Path,
    combination: Combination,
    plans: Mapping[str, Path],
    applications: Mapping[str, Path],
    exports: Mapping[str, Path],
) -> Papers:
    """The files as given; plans that were not are looked for beside the combination file, by their `plan:`.

    BadInput with all that is missing.
    """
    known = {_name(path): path for path in sorted((file.parent / file.stem).glob("*.yaml"))}
    found = dict(plans)
    problems = []
    for name, party in combination.parties.items():
        if party.supplies is None:
            if name not in applications:
                problems.append(f"{name} supplies nothing, so it applies by a file; allowed: --application {name}=FILE")
        elif name not in found:
            if party.supplies in known:
                found[name] = known[party.supplies]
            else:
                folder = file.parent / file.stem
                problems.append(f"no plan {party.supplies} of {name} in {folder}; allowed: --plan {name}=FILE")
    unknown = {*plans, *applications, *exports} - set(combination.parties)
    problems += [f"{name} is no party; there are: {', '.join(combination.parties)}" for name in sorted(unknown)]
    if problems:
        raise BadInput("\n".join(problems))
    return Papers(found, applications, exports)


def pairs(words: Iterable[str]) -> dict[str, Path]:
    """`ROLE=FILE` as a file by role; BadInput for anything else."""
    found = {}
    for word in words:
        role, equals, path = word.partition("=")
        if not (role and equals and path):
            raise BadInput(f"{word!r}; allowed: ROLE=FILE, say A=plans/fuel-a.yaml")
        found[role] = Path(path)
    return found


def _name(path: Path) -> str | None:
    """What a file's `plan:` says; None where it has none (it may be another file)."""
    try:
        root, _ = read_yaml(read_text(path, "plan"), path.name)
    except PlanError:
        return None
    name = root.plain().get("plan")
    return name if isinstance(name, str) else None
