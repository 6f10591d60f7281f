"""A folder of environments, one for each role of a combination: for newcomers, tests and one controller alone.

    DIR/A.yaml        the role's environment          DIR/A/…           its zones, root key, reviewers, partners
    DIR/exchange/A    its inbox, where others put packages
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from jobs.combination.identities import make_identity, save_public
from jobs.environment import ZONES, Environment, load_environment
from jobs.errors import BadInput
from jobs.key_providers import make_root, root_is_missing
from jobs.storage import conf_path, private_folder

EXCHANGE = "exchange"


def make_roles(folder: Path, names: Iterable[str]) -> dict[str, Environment]:
    """Makes each role's environment file, root key, identity and inbox, and pins all to each other; what is there
    already stays as it is.

    Only right where one person stands for all roles: else each makes its own, and compares fingerprints.
    """
    everyone = tuple(dict.fromkeys(names))
    made = {name: _role(folder, name, everyone) for name in everyone}
    identities = [make_identity(environment) for environment in made.values()]
    for environment in made.values():
        environment.exchange.inbox.local.mkdir(parents=True, exist_ok=True)
        for identity in identities:
            if identity.name != environment.exchange.name:
                save_public(identity, environment.exchange.partners / f"{identity.name}.json")
    return made


def roles_in(folder: Path, names: Iterable[str]) -> dict[str, Environment]:
    """The environments of a folder by role; BadInput with all that are missing or name another role."""
    problems, found = [], {}
    for name in names:
        file = environment_file(folder, name)
        if not file.is_file():
            problems.append(f"no {file}; allowed: the environment of {name} (`--new` makes one for every role)")
            continue
        found[name] = load_environment(file)
        if found[name].exchange.name != name:
            problems.append(f"{file} is the environment of {found[name].exchange.name}; allowed: that of {name}")
    if problems:
        raise BadInput("\n".join(problems))
    return found


def environment_file(folder: Path, name: str) -> Path:
    """The place of a role's environment file."""
    return folder.absolute() / f"{name}.yaml"


def _role(folder: Path, name: str, everyone: tuple[str, ...]) -> Environment:
    file = environment_file(folder, name)
    if not file.exists():
        private_folder(file.parent / name)
        yaml = YAML()
        raw: dict[str, Any] = yaml.load(conf_path("environments/local.yaml"))
        raw.update(_places(file.parent, name, everyone))
        with file.open("w", encoding="utf-8") as text:
            yaml.dump(raw, text)
    environment = load_environment(file)
    if root_is_missing(environment):
        make_root(environment.key_settings)
    return environment


def _places(folder: Path, name: str, everyone: tuple[str, ...]) -> Mapping[str, Any]:
    own, exchange = folder / name, folder / EXCHANGE
    return {
        "organisation": name,
        "zones": {zone: str(own / zone) for zone in ZONES},
        "scratch": str(own / "scratch"),
        "keys": {"provider": "file", "path": str(own / "keys" / "root.json")},
        "reviewers": str(own / "reviewers.json"),
        "combination": {
            "name": name,
            "inbox": str(exchange / name),
            "outboxes": {other: str(exchange / other) for other in everyone if other != name},
            "partners": str(own / "partners"),
        },
    }
