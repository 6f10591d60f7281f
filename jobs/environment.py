"""The environment: zones, Spark settings, key provider, reviewers, policy floors, from one YAML file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import combinations, permutations
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from jobs.access import Rights
from jobs.errors import BadInput, ZoneNotHanded
from jobs.key_providers import Keys, shielded
from jobs.key_providers.settings import SETTINGS, FileKeys, KeySettings
from jobs.storage import ARROW_SCHEMES, STORES, Location, StorageOptions, conf_path, known_store
from transforms.errors import MOST_TOLD, PlanError
from transforms.plan_places import read_text
from transforms.yaml_nodes import Node, read_yaml

ROLE_NAME = r"^[A-Za-z0-9][A-Za-z0-9-]*$"

Zone = Literal["source", "staging", "published", "additional-information", "evidence", "quarantine", "keys"]
ZONES: tuple[Zone, ...] = get_args(Zone)
# Spark tables, which others are given to read: no place for keys, logs, or the list of who may approve.
DATA_ZONES: tuple[Zone, ...] = ("source", "staging", "published")
KEYS = ("keys", "retiring_keys")
LONGEST_LINE = 1000
# Locks, private files and renames in place: no object store has them.
ON_THIS_MACHINE: tuple[Zone, ...] = ("additional-information", "evidence", "keys")
Form = Literal["internal-same-department", "internal-other-department", "third-party"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Floor(_Strict):
    """The least that a plan for one form of use must ask for; a plan below it is refused (exit 3)."""

    k: int | None = Field(default=None, ge=2)
    reviewers: int = Field(default=3, ge=3)
    external: int = Field(default=0, ge=0)


RoleName = Annotated[str, StringConstraints(pattern=ROLE_NAME, max_length=40)]


class _Combination(_Strict):
    name: RoleName
    inbox: str
    outboxes: dict[RoleName, str] = Field(default_factory=dict)
    partners: str


class _Storage(_Strict):
    deltalake: dict[str, str] = Field(default_factory=dict)
    arrow: dict[str, str] = Field(default_factory=dict)


class _File(_Strict):
    organisation: str = Field(min_length=1)
    zones: dict[Zone, str]
    scratch: str
    keys: KeySettings
    retiring_keys: KeySettings | None = None
    reviewers: str
    policy: dict[Form, Floor] = Field(default_factory=dict)
    jars: tuple[str, ...] = ()
    spark: dict[str, str] = Field(default_factory=dict)
    storage: _Storage = _Storage()
    opens: tuple[Zone, ...] = ()
    access: dict[Zone, Rights] = Field(default_factory=dict)
    combination: _Combination | None = None
    backups: str | None = Field(default=None, min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _users_have_neither_keys_nor_reviewers(cls, raw: Any) -> Any:
        # Nothing that such an environment opens asks for them: places that are never made.
        if isinstance(raw, Mapping) and raw.get("opens") and isinstance(raw.get("scratch"), str):
            none = f"{raw['scratch']}/none"
            return {"keys": {"provider": "file", "path": none}, "reviewers": none, **raw}
        return raw

    @field_validator("spark", mode="before")
    @classmethod
    def _as_text(cls, raw: Any) -> Any:
        # YAML's true and 4 are what people write; Spark takes text
        if not isinstance(raw, Mapping):
            return raw
        return {k: str(v).lower() if isinstance(v, bool) else str(v) for k, v in raw.items()}

    @field_validator("zones")
    @classmethod
    def _all_apart(cls, zones: dict[Zone, str]) -> dict[Zone, str]:
        places = {zone: Location.of(place) for zone, place in zones.items()}
        if strange := [zone for zone, place in places.items() if not (place.is_local or known_store(place))]:
            found = "; ".join(f"{zone} lies at {places[zone]}" for zone in strange)
            raise ValueError(f"{found}; allowed: a folder, or a URI of {', '.join(STORES)}")
        places = {zone: _as_it_is(place) for zone, place in places.items()}
        shared = [f"{a} and {b} share {places[a]}" for a, b in combinations(zones, 2) if places[a] == places[b]]
        shared += [
            f"{a} lies in {b} ({places[b]})"
            for a, b in permutations(zones, 2)
            if places[a] != places[b] and _inside(places[a], places[b])
        ]
        if shared:
            raise ValueError(f"{'; '.join(shared)}; allowed: a folder or URI of its own for each zone")
        if away := [zone for zone in ON_THIS_MACHINE if zone in zones and not places[zone].is_local]:
            found = "; ".join(f"{zone} lies at {places[zone]}" for zone in away)
            allowed = f"{', '.join(DATA_ZONES)} may lie in an object store"
            raise ValueError(f"{found}; allowed: a folder of this machine or a mounted share, for locks; {allowed}")
        return zones

    @field_validator("scratch", "keys", "retiring_keys", "reviewers")
    @classmethod
    def _out_of_the_data(cls, value: str | Keys | None, info: ValidationInfo) -> str | Keys | None:
        named = value.path if isinstance(value, FileKeys) else value
        if not isinstance(named, str):
            return value  # a root key that lies in no file
        place = Location.of(named)
        zones: Mapping[Zone, str] = info.data.get("zones", {})  # none where they are wrong themselves
        for zone, folder in ((zone, Location.of(zones[zone])) for zone in DATA_ZONES if zone in zones):
            if _inside(place, folder):
                others = f"outside of the zones {', '.join(DATA_ZONES)}"
                raise ValueError(f"{place} lies in the zone {zone} ({folder}); allowed: a place {others}")
        return value

    @field_validator("combination")
    @classmethod
    def _apart_from_the_zones(cls, value: _Combination | None, info: ValidationInfo) -> _Combination | None:
        if value is None:
            return None
        places = {"inbox": value.inbox} | {f"outboxes.{name}": place for name, place in value.outboxes.items()}
        found = {name: Location.of(place) for name, place in places.items()}
        problems = [f"{name} {place} is not on this machine" for name, place in found.items() if not place.is_local]
        problems += [
            f"{a} and {b} share {found[a]}" for a, b in combinations(found, 2) if _overlap(found[a], found[b])
        ]
        zones = {zone: Location.of(place) for zone, place in info.data.get("zones", {}).items()}
        found["partners"] = Location.of(value.partners)
        problems += [
            f"{name} {place} lies in the zone {zone} ({folder}), or that in it"
            for name, place in found.items()
            for zone, folder in zones.items()
            if _overlap(place, folder)
        ]
        if problems:
            raise ValueError(f"{'; '.join(problems)}; allowed: folders of their own outside of all zones, say a share")
        return value


def _overlap(one: Location, other: Location) -> bool:
    return _inside(one, other) or _inside(other, one)


def _inside(place: Location, folder: Location) -> bool:
    return f"{_as_it_is(place)}/".startswith(f"{str(_as_it_is(folder)).rstrip('/')}/")


def _as_it_is(place: Location) -> Location:
    """The place by its one name: without links; in a store without another word for it or empty steps."""
    if place.is_local:
        return replace(place, uri=os.path.realpath(place.local))
    scheme, rest = place.uri.split("://", 1)
    steps = "/".join(step for step in rest.split("/") if step)
    return replace(place, uri=f"{ARROW_SCHEMES.get(scheme.lower(), scheme.lower())}://{steps}")


@dataclass(frozen=True)
class CombinationPlaces:
    """What this place of work is in combinations (결합): its role's name, and where packages come and go.

    Others put packages into `inbox`, which only this role reads; `outboxes` are the inboxes of those it sends
    to, by role name; `partners` is the folder of their public identities, `NAME.json`, pinned by hand.
    """

    name: str
    inbox: Location
    outboxes: Mapping[str, Location]
    partners: Path

    def outbox(self, name: str) -> Location:
        """The inbox of another role; BadInput where the environment names none."""
        if name not in self.outboxes:
            known = ", ".join(sorted(self.outboxes)) or "none"
            raise BadInput(f"no outbox for {name}; the environment's combination.outboxes has: {known}")
        return self.outboxes[name]


@dataclass(frozen=True)
class Environment:
    """Where a job works. It holds the zones that were handed to the job and no other.

    `spark` are session settings, `jars` Maven coordinates, `scratch` a local folder for Spark's spill
    files and our logs, `policy` the floor per form of use, `opens` the only zones that a user's environment has,
    `access` the rights that zones on this machine must have, `file` the file it was read from, `retiring_keys`
    the root key that `gamyeong keys rotate` replaces, `backups` what is declared of backups of the zones.
    """

    file: Path
    organisation: str
    zones: Mapping[Zone, Location]
    scratch: Path
    key_settings: Keys
    reviewers: Path
    policy: Mapping[Form, Floor]
    jars: tuple[str, ...]
    spark: Mapping[str, str]
    storage: StorageOptions
    combination: CombinationPlaces | None = None
    opens: tuple[Zone, ...] = ()
    access: Mapping[Zone, Rights] = field(default_factory=dict)
    retiring_keys: Keys | None = None
    backups: str | None = None
    writes: frozenset[Zone] = frozenset(ZONES)

    def zone(self, name: Zone) -> Location:
        """The place of a zone that was handed to this job; another is ZoneNotHanded."""
        if self.opens and name not in self.opens:
            raise ZoneNotHanded(f"{self.file} opens {', '.join(self.opens)} alone, and the job needs {name}")
        if name not in self.zones:
            raise ZoneNotHanded(
                f"zone {name} was not handed to this job; handed: {', '.join(sorted(self.zones)) or 'none'}"
            )
        return self.zones[name]

    def only(self, *, reads: Iterable[Zone] = (), writes: Iterable[Zone] = ()) -> Environment:
        """The same environment with these zones alone; a zone that this one doesn't hold is ZoneNotHanded."""
        writes = frozenset(writes)
        wanted = frozenset(reads) | writes
        return replace(self, zones={zone: self.zone(zone) for zone in ZONES if zone in wanted}, writes=writes)

    @property
    def keys(self) -> Keys:
        """The key provider's settings, for jobs that were handed the keys zone."""
        self.zone("keys")
        return self.key_settings

    @property
    def exchange(self) -> CombinationPlaces:
        """This role's places in combinations; BadInput where the environment has no `combination:`."""
        if self.combination is None:
            needed = "combination: {name, inbox, outboxes, partners} (jobs/README.md, Environments)"
            raise BadInput(f"{self.file} has no part in combinations; needed: {needed}")
        return self.combination

    def floor(self, form: Form) -> Floor:
        """The policy floor of a form of use; where the environment says nothing, three reviewers and no k."""
        return self.policy.get(form, Floor())


def load_environment(path: str | os.PathLike[str] | None = None) -> Environment:
    """Reads an environment file: `path`, else GAMYEONG_ENVIRONMENT, else the packaged local.yaml.

    Relative places in it start at the current folder (local.yaml: all under ./warehouse). All problems
    are raised together as BadInput.
    """
    chosen = Path(path or os.environ.get("GAMYEONG_ENVIRONMENT") or conf_path("environments/local.yaml"))
    root = _read(chosen)
    try:
        file = _File.model_validate(root.plain())
    except ValidationError as error:
        told = [_problem(chosen, root, one)[:LONGEST_LINE] for one in error.errors()[:MOST_TOLD]]
        raise BadInput("\n".join(told)) from None
    wanted = file.opens or ZONES
    missing = [zone for zone in wanted if zone not in file.zones]
    closed = [zone for zone in file.zones if zone not in wanted]
    if missing or closed:
        said = f"{', '.join(missing)} missing" if missing else f"{', '.join(closed)} named, and not under opens"
        raise BadInput(f"{chosen}: zones: {said}; allowed: all of {', '.join(wanted)}")
    options = StorageOptions(file.storage.deltalake, file.storage.arrow)
    return Environment(
        file=chosen,
        organisation=file.organisation,
        zones={zone: Location.of(file.zones[zone], options) for zone in ZONES if zone in wanted},
        scratch=Location.of(file.scratch).local,
        key_settings=_kept(file.keys),
        reviewers=Location.of(file.reviewers).local,
        policy=dict(file.policy),
        jars=file.jars,
        spark=file.spark,
        storage=options,
        combination=_places(file.combination),
        opens=file.opens,
        access=file.access,
        backups=file.backups,
        retiring_keys=None if file.retiring_keys is None else _kept(file.retiring_keys),
    )


def _kept(keys: Keys) -> Keys:
    shielded(keys)
    if isinstance(keys, FileKeys):
        return keys.model_copy(update={"path": str(Location.of(keys.path))})
    return keys


def _places(section: _Combination | None) -> CombinationPlaces | None:
    if section is None:
        return None
    outboxes = {name: Location.of(place) for name, place in section.outboxes.items()}
    return CombinationPlaces(section.name, Location.of(section.inbox), outboxes, Location.of(section.partners).local)


def _read(path: Path) -> Node:
    try:
        root, problems = read_yaml(read_text(path, "environment"), path.name)
        if problems:
            raise PlanError(problems)
    except PlanError as error:
        told = [f"{path}: {replace(one, file=None)}" for one in error.problems]
        raise BadInput("\n".join(["the environment file can't be read:", *told])) from None
    return root


def _problem(file: Path, root: Node, error: Any) -> str:
    """One problem with its line, path and, for an unknown key, what may have been meant."""
    place = [part for part in error["loc"] if part != "[key]"]
    provider = str(place.pop(1)) if place[0] in KEYS and len(place) > 1 else ""
    if error["type"] == "provider":
        place.append("provider")
    line, node = None, root
    for part in place:
        if (found := node.child(part)) is None:
            break
        node = found[1]
        line = node.place
    path = ".".join(map(str, place)).replace("\n", "\\n") or "file"
    where = f"{file}{f', line {line}' if line else ''}, {path}"
    if error["type"] == "extra_forbidden":
        allowed = list(SETTINGS[provider].model_fields) if provider else _allowed(place[:-1])
        close = difflib.get_close_matches(str(place[-1]), allowed, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        return f"{where}: unknown key; allowed: {', '.join(allowed)}{hint}"
    return f"{where}: {error['msg'].removeprefix('Value error, ')}"


def _allowed(parents: list[Any]) -> list[str]:
    models: dict[str, type[BaseModel]] = {
        "policy": Floor, "storage": _Storage, "combination": _Combination, "access": Rights
    }  # fmt: skip
    return list((models[parents[0]] if parents and parents[0] in models else _File).model_fields)
