"""Schedule files: which plan or combination runs when, where, and who is told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from gamyeong_dags.problems import UnfitFile
from gamyeong_dags.yaml_file import fitted, line_of, read

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")
TEMPLATE = re.compile(r"\{[{%#]")
PRESETS = ("@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")
DEFAULT_ENVIRONMENT = "../environments/local.yaml"


def _cron(value: str | None) -> str | None:
    if value is None or value in PRESETS or len(value.split()) == 5:
        return value
    raise ValueError(f"found {value!r}; allowed: five fields (say 0 6 5 * *) or {', '.join(PRESETS)}")


Cron = Annotated[str | None, AfterValidator(_cron)]
# A word of a task, which Airflow renders, and no option of a job's.
Person = Annotated[str, Field(pattern=r"^[^-{}%#\x00-\x1f][^{}%#\x00-\x1f]{0,99}$")]


class _Base(BaseModel):
    """What plans and combinations share."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: str
    about: str = ""
    owner: Annotated[str, Field(min_length=1, max_length=200)]
    tags: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    start: date
    end: date | None = None
    time_zone: str = "UTC"
    catch_up: bool = False
    retries: Annotated[int, Field(ge=0, le=20)] = 3
    retry_minutes: Annotated[float, Field(gt=0, le=1440)] = 5
    look_again_minutes: Annotated[float, Field(gt=0, le=1440)] = 15
    patience_days: Annotated[float, Field(gt=0, le=3660)] = 90
    notify: str | None = None

    @field_validator("schedule")
    @classmethod
    def _name(cls, value: str) -> str:
        if not NAME.fullmatch(value):
            raise ValueError(f"found {value!r}; allowed: small letters, digits, '_', '.' and '-', at most 100")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"found {value!r}; allowed: a name such as Asia/Seoul or UTC") from None
        return value

    @model_validator(mode="after")
    def _dates(self) -> _Base:
        if self.end is not None and self.end < self.start:
            raise ValueError(f"end {self.end} lies before start {self.start}; exchange them or leave `end` away")
        return self


class PlanSchedule(_Base):
    """One plan: started by `cron`, or by what it waits for (`waits_for`), or by hand where neither is there."""

    plan: Path
    environment: Path = Path(DEFAULT_ENVIRONMENT)
    cron: Cron = None
    waits_for: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./-]{0,199}$")], ...] = ()
    period: Literal["day", "week", "month", "quarter", "year"] | None = None
    trial: Annotated[int, Field(ge=1)] | None = None

    @property
    def named(self) -> dict[tuple[str, ...], Path]:
        """Every file that is named, by the keys that lead to it."""
        return {("plan",): self.plan, ("environment",): self.environment}

    @model_validator(mode="after")
    def _one_start(self) -> PlanSchedule:
        if self.cron and self.waits_for:
            raise ValueError("cron and waits_for together; allowed: one of them, or neither (started by hand)")
        if self.catch_up and not self.cron:
            raise ValueError("catch_up without cron; allowed: with cron alone, since nothing else has past runs")
        return self


class CombinationSchedule(_Base):
    """One combination: the roles that run here, each with its own environment; suppliers with their plans."""

    combination: Path
    environments: dict[str, Path]
    plans: dict[str, Path] = {}
    applications: dict[str, Path] = {}
    export_applications: dict[str, Path] = {}
    catch_up: bool = True
    late_after_hours: Annotated[float, Field(ge=0, le=8760)] = 24

    @property
    def named(self) -> dict[tuple[str, ...], Path]:
        """Every file that is named, by the keys that lead to it."""
        found: dict[tuple[str, ...], Path] = {("combination",): self.combination}
        for key in ("environments", "plans", "applications", "export_applications"):
            found |= {(key, role): path for role, path in getattr(self, key).items()}
        return found

    @field_validator("environments")
    @classmethod
    def _some(cls, value: dict[str, Path]) -> dict[str, Path]:
        if not value:
            raise ValueError("empty; allowed: for each role that runs here its environment file")
        return value


class DueSchedule(_Base):
    """All whose use has ended in an environment (`destroy_due`): one person asks, another does what is signed."""

    destroy_due: Path
    requester: Person
    performer: Person
    cron: Cron = None

    @property
    def named(self) -> dict[tuple[str, ...], Path]:
        """Every file that is named, by the keys that lead to it."""
        return {("destroy_due",): self.destroy_due}


Model = PlanSchedule | CombinationSchedule | DueSchedule
# The key that says what a schedule is of.
KINDS: dict[str, type[Model]] = {
    "plan": PlanSchedule, "combination": CombinationSchedule, "destroy_due": DueSchedule
}  # fmt: skip
ALLOWED = "`plan: FILE`, `combination: FILE` or `destroy_due: ENVIRONMENT`"


@dataclass(frozen=True)
class Scheduled:
    """A schedule file that was read: its model, with the paths in it made absolute."""

    file: Path
    model: Model

    @property
    def name(self) -> str:
        """The schedule's and the DAG's name."""
        return self.model.schedule

    def path(self, given: Path) -> Path:
        """A path of the file: relative ones start at the file's folder."""
        return (self.file.parent / given).resolve()

    @cached_property
    def asset(self) -> str:
        """The name of what a publish of this schedule makes."""
        return f"published/{self.name}"


def load_schedule(file: Path) -> Scheduled:
    """Reads and checks one schedule file; UnfitFile with all of its problems."""
    raw = read(file)
    kinds = [name for name in KINDS if name in raw]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "neither"
        raise UnfitFile(file, [f", file: found {found}; allowed: either {ALLOWED}"])
    made = Scheduled(file, fitted(file, raw, KINDS[kinds[0]]))
    if problems := _missing(made, raw):
        raise UnfitFile(file, problems)
    return made


def _missing(made: Scheduled, raw: dict[str, Any]) -> list[str]:
    model = made.model
    problems = []
    for keys, path in model.named.items():
        where = f"{line_of(raw, *keys)}, {'.'.join(keys)}"
        try:
            there = made.path(path).is_file()
        except (OSError, ValueError, RuntimeError):  # too long a name, links in a circle
            there = False
        if not there:
            problems.append(
                f"{where}: no file {_short(path)} (looked for {_short(made.file.parent / path)});"
                " relative paths start at the folder of this file"
            )
        elif TEMPLATE.search(str(made.path(path))):
            # Paths become words of tasks, which Airflow renders: what stands in a file's name would be run.
            problems.append(f"{where}: a path with a template in it; allowed: names without {{{{, {{% and {{#")
    return problems


def _short(path: Path) -> str:
    return str(path) if len(str(path)) < 300 else f"{str(path)[:300]}…"


def load_all(folder: Path) -> tuple[list[Scheduled], list[UnfitFile]]:
    """All schedule files of a folder: those that are fit, and those that aren't; a name twice is a problem."""
    good: dict[str, Scheduled] = {}
    bad: list[UnfitFile] = []
    for file in sorted(folder.glob("*.yaml")):
        try:
            one = load_schedule(file)
        except UnfitFile as error:
            bad.append(error)
            continue
        if one.name in good:
            other = good[one.name].file.name
            bad.append(UnfitFile(file, [f", schedule: {one.name} is the name of {other} already; choose another"]))
        else:
            good[one.name] = one
    return list(good.values()), bad
