"""What must hold between the sections of a combination file; each rule tells all that it finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from transforms.combination.model import BASED, MOST_PARTIES, Output, Party, Series
from transforms.combination.schedule import ONCE, SAMPLES, period_of, periods
from transforms.complaint import did_you_mean
from transforms.errors import Problem

Sections = Mapping[str, Any]
_TITLE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
# Names of parties become parts of column and table names, where `_` and `-` part them from what follows.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,31}")
_NAMES = "a letter, then letters and digits, at most 32"
MOST_YEARS = 20


def check_combination(sections: Sections) -> list[Problem]:
    """Every problem between sections; of a file that is wrong, between those that are right."""
    rules = (_names, _parties, _outputs, _plans, _joins, _series, _rounds, _once)
    return [problem for rule in rules for problem in rule(sections)]


def _names(sections: Sections) -> Iterator[Problem]:
    title = sections.get("combination")
    if title is not None and not _TITLE.fullmatch(title):
        yield Problem("combination", repr(title), "letters, digits and '-', at most 64")
    roles = sections.get("roles")
    places = {f"roles.{key}": getattr(roles, key, None) for key in ("key_agency", "combining_agency")}
    places |= {f"parties.{name}": name for name in _all(sections)}
    seen: dict[str, str] = {}
    for path, name in places.items():
        if name is None:
            continue
        if not _NAME.fullmatch(name):
            yield Problem(path, f"name {name!r}", _NAMES)
        elif name.casefold() in seen:
            found = f"{name!r}, as {seen[name.casefold()]}"
            allowed = "another name for each role and party, apart from capitals"
            agencies = path.startswith("roles.") or seen[name.casefold()].startswith("roles.")
            hint = "agencies are separate organisations and supply or use nothing" if agencies else None
            yield Problem(path, found, allowed, hint=hint)
        seen.setdefault(name.casefold(), path)


def _parties(sections: Sections) -> Iterator[Problem]:
    parties = _all(sections)
    if "parties" not in sections:
        return
    supplying = _suppliers(sections)
    for name, party in parties.items():
        if party.supplies is None and not party.uses:
            yield Problem(f"parties.{name}", "neither `supplies` nor `uses`", "`supplies: PLAN`, `uses: true`, or both")
        if party.supplies is None and party.optional:
            yield Problem(f"parties.{name}.optional", "optional, but it supplies nothing", "parties that supply")
        if party.supplies is None and party.rows == "many":
            yield Problem(f"parties.{name}.rows", "rows of a party that supplies nothing", "parties that supply")
        twins = [one for one in supplying if one != name and parties[one].supplies == party.supplies]
        if party.supplies is not None and twins and list(parties).index(twins[0]) < list(parties).index(name):
            found = f"plan {party.supplies!r}, which {twins[0]} supplies too"
            yield Problem(f"parties.{name}.supplies", found, "a plan of its own for each party")
    if len(supplying) > MOST_PARTIES:
        yield Problem("parties", f"{len(supplying)} that supply data", f"at most {MOST_PARTIES}")
    firm = [name for name in supplying if not parties[name].optional]
    if len(supplying) < 2:
        yield Problem("parties", f"{len(supplying)} that supply data", "two or more with `supplies: PLAN`")
    elif len(firm) < 2:
        yield Problem("parties", f"{len(firm)} suppliers that are not optional", "two or more, so that a round is one")
    if not any(party.uses for party in parties.values()):
        yield Problem("parties", "none that uses the result", "one or more with `uses: true`")


def _outputs(sections: Sections) -> Iterator[Problem]:
    parties, outputs = _all(sections), _made(sections)
    users = [name for name, party in parties.items() if party.uses]
    asked = [getattr(output, "user", None) for output in outputs]
    for number, user in enumerate(asked):
        if user is None or "parties" not in sections:
            continue
        path = f"outputs[{number}].user"
        if user not in users:
            what = "a party that does not use the result" if user in parties else "no party"
            allowed = f"a party with `uses: true`: {', '.join(users) or 'there is none'}"
            yield Problem(path, f"{user!r}, {what}", allowed, hint=did_you_mean(user, users))
        elif user in asked[:number]:
            yield Problem(path, f"{user!r} again", "one output for each user")
    if "outputs" in sections and not outputs:
        yield Problem("outputs", "none", "one for each user")
    elif "outputs" in sections and None not in asked:
        for name in users:
            if name not in asked:
                yield Problem(f"parties.{name}.uses", "a user without an output", f"`- {{user: {name}, …}}` in outputs")


def _plans(sections: Sections) -> Iterator[Problem]:
    """Others write this file, and what it names is opened here."""
    for number, output in enumerate(_made(sections)):
        plan = getattr(output, "plan", None)
        if plan is not None and (".." in plan.split("/") or plan.startswith("/") or not plan or len(plan) > 200):
            allowed = "a file beside the combination file or in a folder there, without `..`, at most 200 characters"
            yield Problem(f"outputs[{number}].plan", repr(plan), allowed)


def _joins(sections: Sections) -> Iterator[Problem]:
    parties, supplying = _all(sections), _suppliers(sections)
    for number, output in enumerate(_made(sections)):
        join = getattr(output, "join", None)
        if join is None or "parties" not in sections:
            continue
        path = f"outputs[{number}]"
        base = output.base
        if join in BASED and base is None:
            yield Problem(path, f"{join} without a base", f"`base:` one of {', '.join(supplying)}")
        elif join not in BASED and base is not None:
            yield Problem(f"{path}.base", f"a base of {join}", f"none, or one of the joins {', '.join(sorted(BASED))}")
        elif base is not None:
            yield from _base(f"{path}.base", base, parties, supplying)
        if output.optional is None:
            continue
        if join != "inner-multi":
            yield Problem(f"{path}.optional", f"optional parties of {join}", "none, or join: inner-multi")
            continue
        for place, name in enumerate(output.optional):
            if name not in supplying or name == base or name in output.optional[:place]:
                what = "the base" if name == base else _what(name, parties) if name not in supplying else "named twice"
                others = [one for one in supplying if one != base]
                allowed = f"other suppliers than the base, each once: {', '.join(others)}"
                hint = None if name in supplying else did_you_mean(name, others)
                yield Problem(f"{path}.optional[{place}]", f"{name!r}, {what}", allowed, hint=hint)


def _base(path: str, base: str, parties: Mapping[str, Party], supplying: list[str]) -> Iterator[Problem]:
    if base not in supplying:
        allowed = f"a party that supplies data: {', '.join(supplying)}"
        yield Problem(path, f"{base!r}, {_what(base, parties)}", allowed, hint=did_you_mean(base, supplying))
    elif parties[base].optional:
        yield Problem(path, f"{base!r}, without which a round may go on", "a supplier that is not optional")


def _what(name: str, parties: Mapping[str, Party]) -> str:
    return "a party that supplies nothing" if name in parties else "no party"


def _series(sections: Sections) -> Iterator[Problem]:
    series: Series | None = sections.get("series")
    if series is None or getattr(series, "every", None) is None:
        return
    every = series.every
    wrong = False
    for key in ("first", "last"):
        name = getattr(series, key, None)
        if name is None or period_of(every, name) is None:
            wrong = True
        if name is not None and period_of(every, name) is None:
            yield Problem(f"series.{key}", repr(name), f"the name of a {every} that there is, such as {SAMPLES[every]}")
    if not wrong and _long(series):
        yield Problem("series.last", f"{series.last}, more than {MOST_YEARS} years on", "fewer; then a new combination")
    elif not wrong and not any(True for _ in periods(every, series.first, series.last)):
        yield Problem("series.last", f"{series.last}, before the first", f"{series.first} or later")
    keys, attributes = getattr(series, "keys_due", None), getattr(series, "attributes_due", None)
    if keys is not None and attributes is not None and attributes < keys:
        found = f"{attributes} days, before the keys"
        yield Problem("series.attributes_due", found, f"{keys} or more: attributes follow the keys")
    parties = _all(sections)
    if series.late == "without-optional" and parties and not any(one.optional for one in parties.values()):
        hint = "mark a party with `optional: true`, or write `late: cancel`"
        yield Problem("series.late", "without-optional, but no party is optional", "cancel", hint=hint)


def _long(series: Series) -> bool:
    """Is it longer than anyone plans? Its rounds are listed in many places."""
    begin, end = (period_of(series.every, name) for name in (series.first, series.last))
    return begin is not None and end is not None and (end.last - begin.first).days > 366 * MOST_YEARS


def _rounds(sections: Sections) -> Iterator[Problem]:
    mock = getattr(sections.get("options"), "mock", None)
    names = getattr(mock, "rounds", None) or ()
    series: Series | None = sections.get("series")
    if series is None:
        known = [ONCE]
    elif all(hasattr(series, key) for key in ("every", "first", "last")) and not _long(series):
        known = [one.name for one in periods(series.every, series.first, series.last)]
    else:
        known = []
    if not known:
        return
    if mock is not None and not names:
        yield Problem("options.mock.rounds", "none", "one or more rounds, or no `mock`")
    span = known[0] if len(known) < 2 else f"{known[0]} to {known[-1]}"
    for number, name in enumerate(names):
        path = f"options.mock.rounds[{number}]"
        if name not in known:
            yield Problem(path, f"{name!r}, no round", f"rounds: {span}", hint=did_you_mean(name, known))
        elif name in names[:number]:
            yield Problem(path, f"{name!r} again", "each round once")


def _once(sections: Sections) -> Iterator[Problem]:
    """Without a series there is nothing to link over time, nor a first review that a later one could follow."""
    if "series" in sections and sections["series"] is not None:
        return
    for number, output in enumerate(_made(sections)):
        if output.link_id:
            yield Problem(f"outputs[{number}].link_id", "link ids without a series", "false, or a `series`")
    if getattr(sections.get("export"), "simplified", "never") != "never":
        yield Problem("export.simplified", "a simplified review without a series", "never, or a `series`")


def _all(sections: Sections) -> Mapping[str, Party]:
    found: Mapping[str, Party] = sections.get("parties") or {}
    return found


def _suppliers(sections: Sections) -> list[str]:
    return [name for name, party in _all(sections).items() if party.supplies is not None]


def _made(sections: Sections) -> tuple[Output, ...]:
    found: tuple[Output, ...] = sections.get("outputs") or ()
    return found
