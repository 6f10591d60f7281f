"""Zones on one machine with their own owner, group and mode, and the check of them when a job starts."""

from __future__ import annotations

import grp
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from jobs.errors import BadInput, Refused

if TYPE_CHECKING:
    from jobs.environment import Environment


def _as_text(value: object) -> object:
    return str(value) if type(value) is int else value  # a number of an account, as YAML reads it


_NAME = StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", max_length=32)
Account = Annotated[str, BeforeValidator(_as_text), _NAME]
Mode = Annotated[str, StringConstraints(pattern=r"^0?[0-7]{3,4}$")]


class Rights(BaseModel):
    """Who owns a zone's folder, and the most that others may do with it: a name or number, a mode in octal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Account
    group: Account | None = None
    mode: Mode = "0700"

    @property
    def bits(self) -> int:
        """The mode as a number."""
        return int(self.mode, 8)


def signing_folder(environment: Environment) -> list[tuple[Path, Rights]]:
    """The folder of the reviewers' list and the ledger's key, for the owner of evidence alone.

    None where `access` says nothing of evidence. BadInput where a zone lies in it: others must reach that.
    """
    rights = environment.access.get("evidence")
    if rights is None:
        return []
    folder = environment.reviewers.parent
    within = [name for name, zone in environment.zones.items() if zone.is_local and zone.local.is_relative_to(folder)]
    if within:
        found = f"{environment.file}: reviewers {environment.reviewers} lies in a folder with {', '.join(within)}"
        raise BadInput(f"{found}; allowed under access: a folder of its own, for the ledger's key lies there, too")
    return [(folder, Rights(owner=rights.owner))]


def require_rights(environment: Environment) -> None:
    """Refused where a zone that the job was handed has another owner or group, or more rights than it may have.

    Zones without an entry under `access`, and those that are not on this machine, are not looked at.
    """
    problems: list[str] = []
    for zone, rights in environment.access.items():
        if zone in environment.zones and environment.zones[zone].is_local:
            problems += [f"zone {zone}: {text}" for text in _problems(environment.zones[zone].local, rights)]
    if "evidence" in environment.zones:
        for folder, rights in signing_folder(environment):
            problems += [f"reviewers' list and ledger's key: {text}" for text in _problems(folder, rights)]
    if problems:
        remedy = f"allowed: what {environment.file} says under access; `infra/access/zones` makes it so"
        raise Refused("\n".join(["the zones are not closed as they should be:", *problems, remedy]))


def _problems(place: Path, rights: Rights) -> list[str]:
    try:
        found = place.stat()
    except PermissionError:
        return [f"{place} can't be reached by this account"]
    except FileNotFoundError:
        return [f"{place} is not there"]
    owner, group, mode = _user(found.st_uid), _group(found.st_gid), stat.S_IMODE(found.st_mode)
    problems = []
    if rights.owner not in owner:
        problems.append(f"{place} belongs to {owner[0]}; allowed: {rights.owner}")
    if rights.group is not None and rights.group not in group:
        problems.append(f"{place} is of the group {group[0]}; allowed: {rights.group}")
    if more := mode & ~rights.bits:
        problems.append(f"{place} has mode {mode:04o}, {more:04o} too much; allowed: {rights.bits:04o}")
    return problems


def _user(number: int) -> tuple[str, ...]:
    """An account's name, where it has one, and number."""
    try:
        return pwd.getpwuid(number).pw_name, str(number)
    except KeyError:
        return (str(number),)


def _group(number: int) -> tuple[str, ...]:
    try:
        return grp.getgrgid(number).gr_name, str(number)
    except KeyError:
        return (str(number),)
