"""`vote`: a member of the export committee (반출심사위원회) judges one user's export, and signs that (L1583-1597)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jobs.clock import stamp, utc_now
from jobs.combination import entries
from jobs.combination.exports import Application, handed_over
from jobs.combination.step import Call, Step
from jobs.combination.unchanged import why_not_written
from jobs.combination.votes import CRITERIA, FORMS, GRADES, KINDS, Case, judge_votes
from jobs.decide import own_condition
from jobs.decisions import OUTCOMES, Decision, conditions, save, statement
from jobs.errors import BadInput, Refused
from jobs.job import Outcome
from jobs.ledger import trusted_entries
from jobs.publishing import GOOD
from jobs.signing import load_key, passphrase_from
from jobs.vouched import require_vouched


def body(call: Call) -> Outcome:
    """Shows the case, or signs and records a vote; the first look at an application sends its notice."""
    given = call.arguments
    case = Case.of(call.round, _user(call))
    if given.show:
        judged = judge_votes(case, utc_now())
        state = "rejected" if judged.rejected_by else "waiting" if judged.waiting else "ready"
        told = {"run": case.folder.run, "state": state, "waits_for": "; ".join(judged.waiting)}
        return Outcome({**told, "receipt": case.application.receipt}, text=shown(case))
    if not given.member or not given.key:
        raise BadInput("who votes? allowed: --member NAME --key FILE, or --show alone")
    made = _voted(call, case)
    what = made.field("outcome") or f"condition {made.field('condition')} closed"
    terms = [f"condition {one['id']}: {one['text']}" for one in made.conditions]
    summary = {"run": case.folder.run, "user": case.user, "member": made.field("reviewer"), "outcome": what}
    head = f"round {call.round.name}, {case.user}: {what} by {made.field('reviewer')}"
    return Outcome(summary, text="\n".join([head, *terms, made.file]))


def _user(call: Call) -> str:
    users = [one.user for one in call.combination.outputs]
    if call.arguments.user is None and len(users) == 1:
        return users[0]
    if call.arguments.user not in users:
        raise BadInput(f"whose export? allowed: --user, one of {', '.join(users)}")
    return str(call.arguments.user)


def _voted(call: Call, case: Case) -> Decision:
    given = call.arguments
    _complete(given)
    key = load_key(given.key, passphrase_from(given.passphrase_file))
    who = case.member(given.member)
    if who.key_id != key.key_id:
        raise Refused(f"key {key.key_id} is not the one that is pinned for {who.name} ({who.key_id})")
    if call.round.done("export") is not None or case.user in handed_over(call.round):
        raise Refused(f"round {call.round.name} is exported already")
    ledger = entries.ledger(call.environment)
    require_vouched(case.folder, trusted_entries(call.environment, ledger))
    verdicts = {name: case.folder.read(name).get("verdict") for name in GOOD}
    if given.outcome != "rejected" and verdicts != GOOD:
        raise Refused(f"run {case.folder.run} failed its checks {verdicts}; allowed: --outcome rejected")
    at = stamp(utc_now())
    said: dict[str, Any]
    if given.close is None:
        if given.form == "written" and (why := why_not_written(call.round, case.user, case.parts)):
            raise Refused(f"--form written: {why}; allowed: --form meeting")
        said = {
            "kind": KINDS[0],
            "outcome": given.outcome,
            "grades": {name: getattr(given, name) for name in CRITERIA},
            "form": given.form,
            "conditions": conditions(given.condition, at),
        }
    else:
        said = {"kind": KINDS[1], "condition": own_condition(case.votes, who.name, given.close)}
    signed = statement(who.name, key, case.binding, ledger.head(), at, {**said, "reason": given.reason})
    made = save(case.place, signed, key)
    body = {**made.entry(case.folder.run), "round": call.round.name, "user": case.user, "revision": case.revision}
    entries.append(call.environment, KINDS[0], body, once=("run", "sha256"))
    return made


def _complete(given: argparse.Namespace) -> None:
    """BadInput, with all that is missing or contradicts itself."""
    problems = []
    if (given.outcome is None) == (given.close is None):
        problems.append("what is decided? allowed: either --outcome or --close CONDITION")
    if given.outcome is not None:
        grades = {name: getattr(given, name) for name in CRITERIA}
        allowed = " or ".join(GRADES)
        problems += [f"--{name} is missing; allowed: {allowed}" for name, one in grades.items() if one is None]
        if given.form is None:
            problems.append(f"--form is missing; allowed: {' or '.join(FORMS)}")
        if given.outcome == "approved" and "unfit" in grades.values():
            problems.append("approved, though a grade is unfit; allowed: conditional or rejected")
    if (given.outcome == "conditional") != bool(given.condition):
        problems.append("--condition TEXT and --outcome conditional belong together")
    if given.outcome == "rejected" and not given.reason:
        problems.append("a rejection without a reason; allowed: --reason TEXT")
    if problems:
        raise BadInput("\n".join(problems))


def shown(case: Case) -> str:
    """All that a vote would bind, what is known of it, and the votes so far."""
    record, told = case.folder.load_record(), case.round.done("combine") or {}
    unique = told.get("outputs", {}).get(case.user, {}).get("uniqueness", {})
    why = why_not_written(case.round, case.user, case.parts)
    judged = judge_votes(case, utc_now())
    lines = [
        f"round {case.round.name} of {case.round.combination.combination}, revision {case.revision}, for {case.user}",
        *_form_lines(case.application),
        f"run {case.folder.run} of plan {record.plan}: {', '.join(f'{t.name}: {t.rows} rows' for t in record.tables)}",
        f"report: {case.folder.report / 'index.html'}",
        f"manifest: {case.binding['manifest']}",
        *(
            f"{case.user} holds the source of {len(one['columns'])} column(s) of {name}: {one['within']['1']} of "
            f"{one['rows']} rows are unique by them"
            for name, one in unique.items()
        ),
        "a written vote does" if why is None else f"a meeting is needed: {why}",
        *[f"  {name}: {digest}" for name, digest in case.parts.items()],
        "votes so far:",
        *[f"  {v.field('at')} {v.field('reviewer')}: {v.field('outcome') or 'closed'}" for v in judged.decisions],
        *[f"  waits for: {text}" for text in judged.waiting],
    ]
    return "\n".join(lines)


def _form_lines(found: Application) -> list[str]:
    form, notice = found.form, found.notice
    late = f"; LATE: due {notice['due']}" if notice["late"] else ""
    return [
        f"application {found.receipt} of {notice['applied']}, noticed {notice['noticed']}{late}",
        f"  applicant: {form.applicant.organisation} ({form.applicant.registration})",
        f"  repeated: {found.repeated or 'no series'}; file: {form.file}",
        f"  purpose: {form.purpose.kind}: {form.purpose.statement}",
        f"  information: {form.information}, {form.receive}; support: {', '.join(form.support) or 'none'}",
        f"  environment: {form.environment.form}, {form.environment.place}, {form.environment.method}",
        f"  safety plan: {', '.join(form.attachments.safety)}",
    ]


def arguments(parser: argparse.ArgumentParser) -> None:
    """The step's own arguments."""
    parser.add_argument("--user", metavar="U", help="whose export, where there are several")
    parser.add_argument("--show", action="store_true", help="print what would be signed, and sign nothing")
    parser.add_argument("--member", metavar="NAME", help="who votes")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the member's private key")
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="where the key is encrypted")
    questions = ("does it serve the purpose?", "can nobody be recognized?", "is the safety plan enough?")
    for name, about in zip(CRITERIA, questions, strict=True):
        parser.add_argument(f"--{name}", choices=GRADES, help=about)
    parser.add_argument("--outcome", choices=OUTCOMES, help="the vote")
    parser.add_argument("--form", choices=FORMS, help="how the committee judges")
    parser.add_argument("--condition", action="append", default=[], metavar="TEXT", help="for conditional; repeatable")
    parser.add_argument("--reason", default="", metavar="TEXT", help="for the record; needed for rejected")
    parser.add_argument("--close", metavar="CONDITION", help="id or text of one's own condition that is met")


STEP = Step(
    "vote",
    "a member of the export committee judges and signs",
    "combining agency",
    body,
    reads=("keys",),
    arguments=arguments,
)
