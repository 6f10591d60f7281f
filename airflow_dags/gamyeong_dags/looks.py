"""Looks at what people sign: a run's adequacy decisions, the committee's votes about an export."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gamyeong_dags import places
from gamyeong_dags.decisions import Standing
from gamyeong_dags.environments import Place
from gamyeong_dags.outcomes import Ended
from gamyeong_dags.problems import Unfit
from gamyeong_dags.submit import job_hook, state_of

# States of `gamyeong status` after which there is nothing to wait for: publishing publishes, or removes.
SETTLED = ("ready", "published", "rejected")
NOTE = (
    "**Approve** looks for the signatures now; it replaces none, and without them it waits on. **Reject** ends this"
    " run without a release."
)


def run_standing(context: Any, words: Sequence[str], *, place: Place) -> Standing:
    """A run of a plan, by `gamyeong status RUN`."""
    told = state_of(words[0], place)
    if told["state"] in SETTLED:
        return Standing("settled", "", "")
    if told["state"] != "waiting":
        text = f"run {told['run']} is {told['state']}: {told['waits_for']}\nwhat to do: {told['next'] or 'a new run'}"
        return Standing("never", "", text)
    period = f", period {told['period']}" if told.get("period") else ""
    head = f"Plan **{told['plan']}**{period}, run `{told['run']}`: verify says *equal*, review says *fit*."
    report = f"{place.evidence().rstrip('/')}/runs/{told['run']}/report/index.html"
    text = _text(head, told["waits_for"], [report], [f"gamyeong decide {told['run']}"], place)
    return Standing("waiting", told["waits_for"], text)


def adequacy_standing(context: Any, words: Sequence[str], *, place: Place, round_: Any) -> Standing:
    """The runs of a combination's outputs, by `combination process`, which is done already and only tells."""
    ended = combination(["process", *words, "--round", round_(context)], place)
    if ended.what == "retry":
        return _busy(ended, place)
    outputs = ended.summary.get("outputs")
    if ended.code not in (0, 5) or not isinstance(outputs, dict):
        raise Unfit(ended.told("combination process"))
    waiting = {user: one for user, one in outputs.items() if one["state"] == "waiting"}
    if not waiting:
        return Standing("settled", "", "")
    names = ", ".join(f"{user} (run {one['run']})" for user, one in waiting.items())
    reports = [Place.uri(one["report"]) for one in waiting.values()]
    head = f"Round **{round_(context)}**: the combined data were processed; verify says *equal*, review says *fit*."
    commands = [f"gamyeong decide {one['run']}" for one in waiting.values()]
    waits = f"decisions about the adequacy of what goes to {names}"
    return Standing("waiting", waits, _text(head, waits, reports, commands, place))


def votes_standing(context: Any, words: Sequence[str], *, place: Place, round_: Any, user: str) -> Standing:
    """The committee's votes about one user's export, by `combination vote --show`."""
    command = ["vote", *words, "--round", round_(context), "--user", user]
    ended = combination([*command, "--show"], place)
    if ended.what == "retry":
        return _busy(ended, place)
    if ended.code == 5:
        return Standing("waiting", ended.words, _text(f"Export to **{user}**.", ended.words, [], [], place))
    state = ended.summary.get("state")
    if ended.code or state is None:
        raise Unfit(ended.told("combination vote"))
    if state != "waiting":
        return Standing("settled", "", "")
    waits = str(ended.summary.get("waits_for", ""))
    report = f"{place.evidence().rstrip('/')}/runs/{ended.summary['run']}/report/index.html"
    head = f"Round **{round_(context)}**: may `{ended.summary['run']}` be exported to **{user}**?"
    signing = f"gamyeong combination {' '.join(command)}"
    return Standing("waiting", waits, _text(head, waits, [report], [signing], place))


def due_standing(context: Any, words: Sequence[str], *, place: Place) -> Standing:
    """The destructions that were asked for, by `destroy --due --show`."""
    job = "destroy"
    ended = job_hook(job, ["--due", "--show"], place, spark=False).run(str(places.jobs() / f"{job}.py"))
    if ended.what == "retry":
        return _busy(ended, place)
    if ended.code or "state" not in ended.summary:
        raise Unfit(ended.told(job))
    if ended.summary["state"] != "waiting":
        return Standing("settled", "", "")
    waits = str(ended.summary["waits_for"])
    asked = [one for one in ended.summary["all"] if one["state"] == "waiting"]
    names = [" --period ".join(filter(None, (one["output"], one["period"]))) for one in asked]
    how = f"--reviewer NAME --key FILE --outcome approved --environment {place.file}"
    signing = [f"- to sign: `gamyeong destroy {name} {how}`" for name in names]
    head = "The use of published data has ended: may they be destroyed?"
    return Standing("waiting", waits, "\n".join([head, "", f"It waits for: {waits}", "", *signing, "", NOTE]))


def is_rejected(file: str, round_: str, users: Sequence[str], place: Place) -> bool:
    """True where reviewers or committee rejected one of a round's outputs."""
    told = combination(["process", file, "--round", round_], place).summary.get("outputs")
    if isinstance(told, dict) and any(one["state"] == "rejected" for one in told.values()):
        return True
    votes = (["vote", file, "--round", round_, "--user", user, "--show"] for user in users)
    return any(combination(words, place).summary.get("state") == "rejected" for words in votes)


def combination(words: Sequence[str], place: Place) -> Ended:
    """One look by `gamyeong combination …`, without Spark."""
    job = "combination_job"
    return job_hook(job, words, place, spark=False).run(str(places.jobs() / f"{job}.py"))


def _busy(ended: Ended, place: Place) -> Standing:
    """Somebody's command is at work on the round, or the machine is in trouble: it is looked at again."""
    told = ended.words or ended.fix
    return Standing("waiting", told, _text("Could not look yet.", told, [], [], place))


def _text(head: str, waits: str, reports: Sequence[str], commands: Sequence[str], place: Place) -> str:
    """What the person sees: what it waits for, where the documents are, how to sign. No counts, no cells."""
    lines = [head, "", f"It waits for: {waits}", ""]
    lines += [f"- the report: [{one}]({one})" for one in reports]
    for one in commands:
        lines.append(f"- what would be signed: `{one} --show --environment {place.file}`")
        who = "--member" if "vote" in one else "--reviewer"
        answers = "" if "vote" in one else "--conflicts none "
        vote = f"{who} NAME --key FILE {answers}--outcome approved …"
        lines.append(f"- to sign: `{one} {vote} --environment {place.file}`")
    return "\n".join([*lines, "", NOTE])
