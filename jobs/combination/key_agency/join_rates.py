"""Join rates (결합률) of the parties, and what usually lies behind a low one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.combination.key_agency.inputs import Inputs
from jobs.errors import DataFailed
from transforms.combination.joins import JoinRule, meeting
from transforms.combination.matching import Tally
from transforms.combination.model import Combination


@dataclass(frozen=True)
class Rate:
    """How many of a party's subjects are joined with another party's in at least one output."""

    total: int
    matched: int

    @property
    def share(self) -> float:
        """Matched / total; 0 without subjects."""
        return self.matched / self.total if self.total else 0.0

    def __str__(self) -> str:
        return f"{self.matched} of {self.total} ({self.share:.2%})"


def rates_of(tally: Tally, parties: tuple[str, ...], rules: Mapping[str, JoinRule]) -> dict[str, Rate]:
    """The join rate of each party; withdrawn and doubled subjects don't count."""
    met = meeting(rules)
    return {party: Rate(tally.having(place), tally.having(place, met)) for place, party in enumerate(parties)}


def require_serials(tally: Tally, inputs: Inputs) -> None:
    """DataFailed where a party gave one serial to several keys."""
    problems = [
        f"keys of {party}: {count} rows have the serial of another row; allowed: each subject one serial, each serial "
        "one row"
        for party, count in zip(inputs.parties, tally.repeated.tolist(), strict=True)
        if count
    ]
    if problems:
        raise DataFailed("\n".join([*problems, "nothing is linked; ask for a new revision of these keys"]))


def require_few_doubled(tally: Tally, inputs: Inputs, combination: Combination) -> None:
    """DataFailed where more of a party's rows than the limit share their join key with another of its rows."""
    limit = combination.key.duplicates.limit
    problems = []
    for party, rows, doubled in zip(inputs.parties, tally.rows.tolist(), tally.doubled.tolist(), strict=True):
        if rows and doubled > limit * rows:
            problems.append(
                f"keys of {party}: {doubled} of {rows} serials ({doubled / rows:.2%}) share their join key with "
                f"another; allowed: up to {limit:.2%} (key.duplicates.limit)"
            )
    if problems:
        columns = ", ".join(column.name for column in combination.key.columns)
        usual = (
            f"nothing is linked; usual causes: several rows of one subject in the register, or key columns ({columns}) "
            "that many subjects share; these parties find their serials in the package `duplicates`; then a new "
            "revision of the keys"
        )
        raise DataFailed("\n".join([*problems, usual]))


def require_floor(rates: Mapping[str, Rate], combination: Combination) -> None:
    """DataFailed where a party's join rate lies below the file's floor: what is joined would be of little use."""
    options = combination.options.join_rate
    floor = options.floor if options is not None else 0.0
    low = {party: rate for party, rate in rates.items() if rate.share < floor}
    if low:
        named = "; ".join(f"{party}: {rate}" for party, rate in low.items())
        head = f"join rate below the floor of {floor:.2%} (options.join_rate.floor): {named}"
        raise DataFailed(f"{head}\n{causes(combination)}")


def causes(combination: Combination) -> str:
    """What usually makes keys of the same persons differ, in the order in which to look."""
    key = combination.key
    names = ", ".join(column.name for column in key.columns)
    forms = ", ".join(f"{column.name} as {column.form}" for column in key.columns)
    lines = [
        "usual causes, to be looked for at the parties:",
        f"- another encoding on one side: CP949 and UTF-8 make other keys of the same name (the file: {key.encoding})",
        f"- another canonical form: names in {key.normal} or not, digits with signs, dates in other orders ({forms})",
        f"- columns swapped, or in another order than the file's ({names})",
        "- another salt: of another round's package, another series or a test",
        f"- another algorithm than {key.algorithm}",
        "- other people: the parties' registers share few subjects, or are of different periods",
        (
            "plain `gamyeong combination prove` can't see how a party reads its data: take public vectors that way "
            "(`prove --write vectors.csv`, then `prove --table NAME`); then `keys` again as a new revision"
        ),
    ]
    return "\n".join(lines)
