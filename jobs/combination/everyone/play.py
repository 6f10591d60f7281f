"""`play`: all roles in turn, from a folder of environments: for newcomers, rehearsals, and one controller's own data.

The protocol is the same as among organisations: each step is the role's own command in the role's own environment,
and the zones of the others are out of sight while it runs. Started again, it goes on where it stands.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.combination import demonstration, entries
from jobs.combination.alone import alone, restore
from jobs.combination.demonstration import Command
from jobs.combination.layout import environment_file, make_roles, roles_in
from jobs.combination.opening import open_combination
from jobs.combination.rehearsal import Papers, Turn, last_turns, pairs, papers_of, turns
from jobs.combination.rounds import Round
from jobs.combination.secret_store import series_end
from jobs.combination.step import Call, Step, names_of
from jobs.combination.votes import Case
from jobs.decisions import load_all
from jobs.environment import Environment
from jobs.errors import BadInput, Waiting
from jobs.job import Outcome
from jobs.plans import open_plan
from jobs.runs import RunFolder
from jobs.showing import show
from jobs.steps import take
from transforms.combination.model import Combination

INTERNAL = "internal combination: its join keys are deleted (guideline L777)"


class Stopped(Exception):
    """A step did not end with 0."""

    def __init__(self, turn: Turn, code: int) -> None:
        super().__init__(turn, code)
        self.turn, self.code = turn, code


@dataclass(frozen=True)
class Play:
    """All roles of a combination in one hand."""

    folder: Path
    file: Path
    combination: Combination
    roles: dict[str, Environment]
    papers: Papers
    quiet: bool

    def round(self, name: str) -> None:
        """One round, from the applications to what is destroyed at its end; Stopped where a step fails or waits."""
        agency = self.combination.roles.combining_agency
        for turn in turns(self.combination, self.papers, name):
            self.step(name, turn)
        self.processed(name, Turn(agency, "process"))
        for user in self.combination.users:
            self.step(name, Turn(user, "apply-export", ("--application", str(self.export_application(user)))))
        self.exported(name, Turn(agency, "export"))
        for turn in last_turns(self.combination):
            self.step(name, turn)

    def processed(self, name: str, turn: Turn) -> None:
        """Further processing, and the reviewers' decisions about each run."""
        if self.done(name, turn.role, "export"):
            return
        code = self.called(name, turn)
        if code == Waiting.exit_code and demonstration.is_demonstration(self.roles[turn.role]):
            agency = self.roles[turn.role]
            record = self.at(name, turn.role).done("process") or {}
            for one in record["outputs"].values():
                decided = {each.field("reviewer") for each in load_all(RunFolder(agency, one["run"]))}
                self.commands(turn, demonstration.decisions(agency, one["run"], decided))
            code = self.called(name, turn)
        if code:
            raise Stopped(turn, code)

    def exported(self, name: str, turn: Turn) -> None:
        """The committee's votes, and the export."""
        if self.done(name, turn.role, turn.step):
            return
        agency = self.roles[turn.role]
        if demonstration.is_demonstration(agency):
            for output in self.combination.outputs:
                case = Case.of(self.at(name, turn.role), output.user)
                voted = {one.field("reviewer") for one in case.votes}
                for words in demonstration.votes(agency, output.user, voted):
                    self.step(name, Turn(turn.role, "vote", words), always=True)
        self.step(name, turn)

    def step(self, name: str, turn: Turn, *, always: bool = False) -> None:
        """Takes a step that is not done yet."""
        if not always and self.done(name, turn.role, turn.step):
            return
        if code := self.called(name, turn):
            raise Stopped(turn, code)

    def called(self, name: str, turn: Turn) -> int:
        """The exit code of a role's own command; nobody else's zones are there meanwhile."""
        words = (turn.step, str(self.file), "--round", name, *turn.words)
        return self.command(turn.role, ("combination", *words))

    def command(self, role: str, words: Command) -> int:
        """The exit code of a command in a role's environment."""
        job, *rest = words
        if not self.quiet:
            show(f"[{role}] {' '.join(words[:2])}")
        with alone(self.roles, role):
            return take(job, rest, environment=str(environment_file(self.folder, role)), quiet=self.quiet).code

    def commands(self, turn: Turn, found: Iterable[Command]) -> None:
        """Commands of people, each of which must end with 0."""
        for words in found:
            if code := self.command(turn.role, words):
                raise Stopped(Turn(turn.role, words[0]), code)

    def at(self, name: str, role: str) -> Round:
        """A role's round as it stands now."""
        entries.forget()
        return Round(self.roles[role], self.combination, name)

    def done(self, name: str, role: str, step: str) -> bool:
        """True once the role's ledger vouches for the step."""
        return self.at(name, role).done(step) is not None

    def export_application(self, user: str) -> Path:
        """The user's application for export: as given, or the demonstration's."""
        if user in self.papers.exports:
            return self.papers.exports[user]
        plan = self.combination.output(user).plan
        agency = self.combination.roles.combining_agency
        if plan is None or not demonstration.is_demonstration(self.roles[agency]):
            raise BadInput(f"no application for export of {user}; allowed: --export {user}=FILE")
        loaded = open_plan(self.file.parent / plan, self.roles[agency])
        return demonstration.export_application(self.roles[user], self.folder / user, loaded.plan)


def body(call: Call) -> Outcome:
    """Plays the rounds that were asked for (else the next one); ends with the exit code of a step that fails."""
    given = call.arguments
    combination = open_combination(given.file)
    given_files = [pairs(one) for one in (given.plan, given.application, given.export)]
    papers = papers_of(given.file, combination, *given_files)
    names = names_of("all", combination)
    folder: Path = (given.new or given.roles).absolute()
    roles = make_roles(folder, names) if given.new else roles_in(folder, names)
    play = Play(folder, given.file, combination, roles, papers, given.quiet)
    restore(roles)
    beginning = _until(play, given.rounds, given.until) if given.until is not None else []
    played: list[str] = []
    try:
        if given.new:
            _furnish(play, given.subjects)
        for name, turn in beginning:
            play.step(name, turn)
        if beginning:
            return _begun(name, given.until)
        for name in _rounds(play, given.rounds):
            play.round(name)
            played.append(name)
        ended = _ended(play, given.end)
    except Stopped as stopped:
        return _stopped(play, stopped, played)
    return _told(play, played, ended)


def _until(play: Play, asked: str | None, step: str) -> list[tuple[str, Turn]]:
    """The turns of one round up to a step of all who take it; BadInput for one that does not come before `process`."""
    rounds = _rounds(play, asked)
    if len(rounds) != 1:
        first = play.combination.rounds()[0]
        raise BadInput(f"--until {step} with {len(rounds)} rounds; allowed: one, say --rounds {first}")
    (name,) = rounds
    found = [(name, turn) for turn in turns(play.combination, play.papers, name)]
    steps = [turn.step for _, turn in found]
    if step not in steps:
        raise BadInput(f"--until {step}; allowed in round {name}: {', '.join(dict.fromkeys(steps))}")
    return found[: len(steps) - steps[::-1].index(step)]


def _begun(name: str, step: str) -> Outcome:
    text = f"round {name}: played until `{step}`; the same command without --until goes on"
    return Outcome({"rounds": [], "round": name, "until": step}, text=text)


def _furnish(play: Play, subjects: str | None) -> None:
    """Demonstration reviewers, and made data where the combination is one of ours and a party has none."""
    agency = play.combination.roles.combining_agency
    reviewers = demonstration.reviewer_commands(play.roles[agency])
    play.commands(Turn(agency, "reviewer"), reviewers)
    for party in play.combination.suppliers:
        made = demonstration.data_commands(play.combination, party, play.roles[party], subjects)
        play.commands(Turn(party, "generate"), made)


def _rounds(play: Play, asked: str | None) -> list[str]:
    """All for `all`; none for `none`; those named; else the first that is not over."""
    known = play.combination.rounds()
    if asked == "none":
        return []
    if asked == "all":
        return list(known)
    if asked is not None:
        problems = [text for name in asked.split(",") if (text := play.combination.round_problem(name)) is not None]
        if problems:
            raise BadInput("\n".join(problems))
        return asked.split(",")
    left = [name for name in known if not _over(play, name)]
    return left[:1]


def _over(play: Play, name: str) -> bool:
    last = list(last_turns(play.combination))[-1]
    return play.done(name, last.role, last.step)


def _ended(play: Play, reason: str | None) -> str | None:
    """Ends the series where that was asked for, or where one controller has no further round to keep salts for."""
    agency = play.combination.roles.key_agency
    entries.forget()
    ended = series_end(play.roles[agency], play.combination)
    if play.combination.internal and play.combination.series is None:
        reason = reason or INTERNAL
    if ended is not None or reason is None or not all(_over(play, name) for name in play.combination.rounds()):
        return ended
    words = ("combination", "end", str(play.file), "--reason", reason)
    if code := play.command(agency, words):
        raise Stopped(Turn(agency, "end"), code)
    return reason


def _stopped(play: Play, stopped: Stopped, played: list[str]) -> Outcome:
    turn, environment = stopped.turn, environment_file(play.folder, stopped.turn.role)
    text = (
        f"{turn.role}: `{turn.step}` ended with exit {stopped.code} (above: why); started again, this goes on there; "
        f"gamyeong combination status {play.file} --environment {environment} tells what the role waits for"
    )
    summary = {"rounds": played, "role": turn.role, "step": turn.step}
    return Outcome(summary, text=text, exit_code=stopped.code)


def _told(play: Play, played: list[str], ended: str | None) -> Outcome:
    left = [name for name in play.combination.rounds() if not _over(play, name)]
    names = ", ".join(played) or ("none" if left else "none, all are over")
    lines = [f"{play.combination.combination}: rounds played: {names}"]
    for user in play.combination.users:
        lines.append(f"{user} has its result in {play.roles[user].zone('published')}")
    lines += [f"the series has ended: {ended}"] if ended is not None else []
    lines += [f"left: {', '.join(left)}; the same command again plays the next"] if left else []
    return Outcome({"rounds": played, "left": left, "ended": ended}, text="\n".join(lines))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="combination file")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--roles", type=Path, metavar="DIR", help="the folder with each role's environment, NAME.yaml")
    about = "makes that folder: environments, keys, partners, demonstration reviewers, made data for our examples"
    place.add_argument("--new", type=Path, metavar="DIR", help=about)
    parser.add_argument("--rounds", metavar="R,R", help="2024-07,2024-08, `all` or `none` (default: the next)")
    parser.add_argument("--until", metavar="STEP", help="stop after this step of a round, to take others by hand")
    parser.add_argument("--subjects", metavar="N", help="with --new: how many made subjects a party has")
    parser.add_argument("--end", metavar="REASON", help="end the series once all rounds are over: salts are destroyed")
    files = (
        ("--plan", "a supplier's plan (default: beside FILE, by its name)"),
        ("--application", "application of a user that supplies nothing"),
        ("--export", "a user's application for export"),
    )
    for name, told in files:
        parser.add_argument(name, action="append", default=[], metavar="ROLE=FILE", help=told)


STEP = Step(
    "play",
    "all roles in turn from a folder of environments: to try, to rehearse, within one controller",
    "all",
    body,
    reads=(),
    writes=(),
    arguments=arguments,
    file=False,
    round=False,
)
