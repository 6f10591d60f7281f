"""What a scheduler needs of a combination file; everything else in it is checked by `gamyeong combination check`."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gamyeong_dags.problems import UnfitFile, near
from gamyeong_dags.schedule import CombinationSchedule, Scheduled
from gamyeong_dags.yaml_file import fitted, line_of, read

# The first day of a period by its name, and how the day after its last one is found.
FORMATS = {"week": "%G-W%V-%u", "month": "%Y-%m-%d", "year": "%Y-%m-%d"}
CRONS = {"week": "0 0 * * 1", "month": "0 0 1 * *", "quarter": "0 0 1 */3 *", "year": "0 0 1 1 *"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
Text = Annotated[str, BeforeValidator(str)]
# Parties' names become names of tasks.
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]{0,31}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Roles(_Model):
    """The two agencies."""

    key_agency: Name
    combining_agency: Name


class Party(_Model):
    """An applicant."""

    supplies: str | None = None
    uses: bool = False
    optional: bool = False


class Series(_Model):
    """Rounds, and until when what must be there."""

    every: Literal["week", "month", "quarter", "year"]
    first: Text
    last: Text
    keys_due: Annotated[int, Field(ge=1, le=366)]
    attributes_due: Annotated[int, Field(ge=1, le=366)]

    def first_day(self, name: str) -> date:
        """The first day of a round's period; ValueError where the name is none."""
        if self.every == "quarter":
            year, quarter = name.split("-Q")
            return date(int(year), 3 * int(quarter) - 2, 1)
        full = name + {"week": "-1", "month": "-01", "year": "-01-01"}[self.every]
        return datetime.strptime(full, FORMATS[self.every]).date()  # noqa: DTZ007 - a day, no moment

    def next_day(self, name: str) -> date:
        """The day after the last one of a round's period."""
        first = self.first_day(name)
        if self.every == "week":
            return first + timedelta(days=7)
        months = first.month - 1 + MONTHS[self.every]
        return date(first.year + months // 12, months % 12 + 1, 1)

    def over(self, name: str, days: int) -> date:
        """The first day on which something that was due so many days after the period is late."""
        return self.next_day(name) + timedelta(days=days)


class Output(_Model):
    """Who gets what."""

    user: Name


class Mock(_Model):
    """Rounds with a mock combination."""

    rounds: tuple[Text, ...]


class Options(_Model):
    """The optional steps."""

    mock: Mock | None = None
    join_rate: dict[str, Any] | None = None
    extraction: dict[str, Any] | None = None


class CombinationFile(_Model):
    """The parts that make the DAG."""

    combination: str
    roles: Roles
    parties: dict[Name, Party]
    outputs: tuple[Output, ...] = Field(min_length=1)
    series: Series | None = None
    options: Options = Options()

    @property
    def suppliers(self) -> tuple[str, ...]:
        """Parties with data."""
        return tuple(name for name, one in self.parties.items() if one.supplies is not None)

    @property
    def everyone(self) -> tuple[str, ...]:
        """All roles' names."""
        return tuple(dict.fromkeys((*self.parties, self.roles.key_agency, self.roles.combining_agency)))


def load_combination_file(one: Scheduled, model: CombinationSchedule) -> CombinationFile:
    """The combination of a schedule; UnfitFile with what does not fit together."""
    path = one.path(model.combination)
    raw = read(path)
    found = fitted(path, raw, CombinationFile)
    if found.series is not None:
        problems = []
        for key in ("first", "last"):
            try:
                found.series.first_day(getattr(found.series, key))
            except ValueError:
                problems.append(
                    f"{line_of(raw, 'series', key)}, series.{key}: no {found.series.every};"
                    " `gamyeong combination check` says what is allowed"
                )
        if problems:
            raise UnfitFile(path, problems)
    if problems := _mismatches(one.file, model, found):
        raise UnfitFile(one.file, problems)
    return found


def _mismatches(file: Path, model: CombinationSchedule, found: CombinationFile) -> list[str]:
    """Roles of the schedule that the combination does not have, and files that a role here lacks."""
    raw = read(file)
    problems = []
    users = tuple(name for name, one in found.parties.items() if one.uses)
    only_users = tuple(name for name in users if name not in found.suppliers)
    allowed = {
        "environments": found.everyone,
        "plans": found.suppliers,
        "applications": only_users,
        "export_applications": users,
    }
    for key, names in allowed.items():
        for name in getattr(model, key):
            if name not in names:
                told = f"allowed: {', '.join(names) or 'none'}{near(name, names)}"
                problems.append(f"{line_of(raw, key, name)}, {key}.{name}: no such role; {told}")
        here = [name for name in names if name in model.environments and name not in getattr(model, key)]
        problems += [f", {key}: {name} runs here and has none; add {name}: FILE" for name in here]
    return problems
