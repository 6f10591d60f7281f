"""`gamyeong combination STEP FILE --round R`: one step of one role in a combination of several organisations' data."""

import sys
from pathlib import Path

if __name__ == "__main__":  # spark-submit puts jobs/ first on the path; its parent belongs there
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import difflib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from jobs.combination import entries
from jobs.combination.hearing import learn
from jobs.combination.opening import open_combination
from jobs.combination.rounds import Round
from jobs.combination.step import Call, Step, names_of
from jobs.combination.steps import STEPS, step_named
from jobs.errors import BadInput, Refused
from jobs.job import Context, Outcome, run_job
from jobs.leaving import leave
from jobs.locks import exclusive
from transforms.combination.model import Combination

ABOUT = "Combines several organisations' data, over rounds: each role takes its own steps in its own environment."


def arguments_of(step: Step) -> Callable[[argparse.ArgumentParser], None]:
    """The arguments that all steps have, as far as this one needs them, and its own."""

    def add(parser: argparse.ArgumentParser) -> None:
        if step.file:
            parser.add_argument("file", type=Path, metavar="FILE", help="combination file, the same for all roles")
        if step.round:
            parser.add_argument("--round", required=True, metavar="R", help="2024-07 …; `once` without a series")
            parser.add_argument("--revision", type=_revision, default=1, metavar="N", help="2 … replaces what was sent")
        if step.arguments:
            step.arguments(parser)

    return add


def _revision(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; allowed: 1, 2, 3 …")
    return int(text)


def body_of(step: Step) -> Callable[[Context], Outcome]:
    """The step's work, once its role and the round's state allow it; one step of a round at a time."""

    def body(context: Context) -> Outcome:
        entries.forget()
        file = context.arguments.file if step.file else None
        combination = open_combination(file) if file is not None else None
        if combination is not None:
            _require_role(step, combination, context.environment.exchange.name)
        round_ = None
        if step.round and combination is not None:
            round_ = Round(context.environment, combination, context.arguments.round)
        with _alone(round_):
            if round_ is not None:
                learn(round_)
                round_.require(step.name, context.arguments.revision)
            return step.body(Call(context, file, combination, round_))

    return body


def _alone(round_: Round | None) -> AbstractContextManager[None]:
    if round_ is None or "evidence" not in round_.environment.writes:
        return nullcontext()
    return exclusive(round_.folder / ".lock", f"round {round_.name}")


def _require_role(step: Step, combination: Combination, me: str) -> None:
    everyone = names_of("all", combination)
    if me not in everyone:
        raise Refused(
            f"the environment is that of {me}, which has no part in {combination.combination}; "
            f"there are: {', '.join(everyone)}"
        )
    allowed = names_of(step.role, combination)
    if me not in allowed:
        names = ", ".join(allowed) or "nobody"
        raise Refused(f"`{step.name}` is a step of the {step.role} ({names}); this environment is that of {me}")


def usage() -> str:
    """The steps by role."""
    steps = [step_named(name) for name in STEPS]
    width = max(len(step.name) for step in steps) + 2
    lines = ["usage: gamyeong combination STEP FILE --round R --environment ROLE.yaml …", "", ABOUT]
    for role in dict.fromkeys(step.role for step in steps):
        lines += ["", f"{role}:", *(f"  {one.name:<{width}}{one.about}" for one in steps if one.role == role)]
    return "\n".join([*lines, "", "gamyeong combination STEP --help tells a step's own arguments."])


def main(argv: Sequence[str]) -> int:
    """Exit codes are those of the step; 2 for an unknown one."""
    name = argv[0] if argv else ""
    if name in STEPS:
        step = step_named(name)
        return run_job(
            argv[1:],
            name=f"combination {name}",
            about=step.about,
            body=body_of(step),
            arguments=arguments_of(step),
            reads=step.reads,
            writes=step.writes,
        )

    def tell(context: Context) -> Outcome:
        if not name or name in ("-h", "--help"):
            return Outcome(text=usage(), exit_code=0 if name else BadInput.exit_code)
        close = difflib.get_close_matches(name, STEPS, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise BadInput(f"no step {name!r}; allowed: {', '.join(STEPS)}{hint}")

    return run_job([one for one in argv[1:] if one == "--json"], name="combination", about=ABOUT, body=tell)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
