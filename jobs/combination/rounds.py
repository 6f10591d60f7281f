"""Rounds (결합 회차) as one role knows them: what it did, in which state that is, which step may come next.

Each role keeps records of its own, `evidence/combinations/<name>/<round>/<step>.r<revision>.json`. A record is made by
the step of its name, and counts only as the role's ledger vouches for it: the ledger holds its hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jobs.combination import entries
from jobs.combination.order import NEEDS, STATE_AFTER, Needs, State
from jobs.combination.secret_store import series_end
from jobs.environment import Environment
from jobs.errors import BadInput, Refused
from jobs.names import folder_name
from jobs.storage import Location, write_atomically
from transforms.combination.model import Combination

DONE, VOID, CANCELLED = "combination-step", "combination-void", "combination-cancelled"
CLOSED = "combination-closed-elsewhere"


@dataclass(frozen=True)
class Heard:
    """What agencies' notices say of a round, each with who told it and when; None for nothing.

    `cancelled`: it ends without a result; `closed`: the combining agency has closed it; `ended`: the series is over.
    """

    cancelled: str | None = None
    closed: str | None = None
    ended: str | None = None


@dataclass(frozen=True)
class Round:
    """One round of a combination; BadInput for a name that is none (before, after, or of another kind).

    `heard` is what notices say that this role's ledger doesn't know yet.
    """

    environment: Environment
    combination: Combination
    name: str
    heard: Heard = Heard()

    def __post_init__(self) -> None:
        problem = self.combination.round_problem(self.name)
        if problem is not None:
            raise BadInput(problem)

    @cached_property
    def folder(self) -> Location:
        """Where this role's records of the round lie."""
        evidence = self.environment.zone("evidence")
        return evidence / "combinations" / folder_name(self.combination.combination) / self.name

    @property
    def first(self) -> bool:
        """True for the first round of the series, or the only one."""
        return self.combination.rounds()[0] == self.name

    def record(self, step: str, body: Mapping[str, Any], revision: int = 1) -> None:
        """Keeps what a step did (JSON: counts, digests; no cell, no time), once.

        The same again changes nothing; another body under the same revision is Refused, unless it was voided.
        """
        content = json.dumps(dict(body), ensure_ascii=False, sort_keys=True, indent=1).encode()
        digest = hashlib.sha256(content).hexdigest()
        known = self._known().get((step, revision))
        if known is not None and known != digest:
            raise Refused(
                f"{step} of round {self.name} was done with other inputs; allowed: the same again (nothing changes), "
                f"or a new revision (--revision {revision + 1})"
            )
        if known is None:
            write_atomically(self._place(step, revision).local, content)
            body = {**self._named, "step": step, "revision": revision, "sha256": digest}
            entries.append(self.environment, DONE, body)

    def done(self, step: str, revision: int | None = None) -> Mapping[str, Any] | None:
        """The newest record of a step that the ledger vouches for and that was not voided; None without one.

        Refused where the file is not as the step left it.
        """
        there = {of: digest for (name, of), digest in self._known().items() if name == step}
        if revision is not None:
            there = {of: digest for of, digest in there.items() if of == revision}
        if not there:
            return None
        newest = max(there)
        place = self._place(step, newest)
        content = place.local.read_bytes() if place.exists() else b""
        if hashlib.sha256(content).hexdigest() != there[newest]:
            raise Refused(f"{place} is not as `{step}` left it; restore the evidence")
        found: Mapping[str, Any] = json.loads(content)
        return found

    def revision(self, step: str) -> int:
        """The newest revision of a step's records, voided ones too; 0 without one."""
        entered = entries.entered(self.environment, DONE, **self._named, step=step)
        return max((entry.content()["revision"] for entry in entered), default=0)

    def void(self, *steps: str, because: str) -> list[str]:
        """What these steps did counts no more (an input was replaced); those that had a record."""
        voided = [step for step in steps if any(name == step for name, _ in self._known())]
        if voided:
            entries.append(self.environment, VOID, {**self._named, "steps": voided, "because": because})
        return voided

    def cancel(self, because: str) -> None:
        """Ends the round without a result: only what destroys may follow."""
        entries.append(self.environment, CANCELLED, {**self._named, "because": because}, once=tuple(self._named))

    @property
    def cancelled(self) -> str | None:
        """Why the round ended without a result; None where it did not."""
        return self._because(CANCELLED) or self.heard.cancelled

    def close_elsewhere(self, because: str) -> None:
        """The combining agency has closed the round: nothing may be sent for it any more."""
        entries.append(self.environment, CLOSED, {**self._named, "because": because}, once=tuple(self._named))

    @property
    def closed_elsewhere(self) -> str | None:
        """Who closed the round, and when; None while it is open as far as this role knows."""
        return self._because(CLOSED) or self.heard.closed

    @property
    def ended(self) -> str | None:
        """Why the series has ended, as far as this role knows; None while it goes on."""
        return series_end(self.environment, self.combination) or self.heard.ended

    @property
    def begun(self) -> bool:
        """True once this role has taken a step of the round."""
        return bool(entries.entered(self.environment, DONE, **self._named))

    @property
    def state(self) -> State:
        """The furthest state that this role's records speak of."""
        return max((STATE_AFTER.get(step, State.OPEN) for step, _ in self._known()), default=State.OPEN)

    def missing(self, step: str) -> str | None:
        """Why a step may not be taken now, or None."""
        needs = NEEDS.get(step, Needs(until=State.CLOSED))
        if not needs.ends:
            cancelled = self.cancelled
            if cancelled is not None:
                return f"the round was cancelled: {cancelled}; the next round is another"
        if needs.until < State.CLOSED:  # what was exported may still be taken
            ended = self.ended
            if ended is not None:
                return f"the series has ended ({ended}): its salts are destroyed; a new combination begins a new series"
            closed = self.closed_elsewhere
            if closed is not None:
                return f"the round is over: {closed}; a correction belongs to the next round"
        if self.state > needs.until:
            return f"allowed: until {needs.until.name}; a correction after that belongs to the next round"
        known = {name for name, _ in self._known()}
        missing = [one for one in needs.records if one not in known]
        if missing:
            return f"first: {', '.join(f'`gamyeong combination {one}`' for one in missing)}"
        return None

    def require(self, step: str, revision: int | None = None) -> None:
        """Refused where the round's state doesn't allow a step: says the state, what is missing, what to do.

        A step that is done is allowed again: it finds that nothing is to be done.
        """
        if any(name == step and revision in (None, of) for name, of in self._known()):
            return
        missing = self.missing(step)
        if missing is not None:
            raise Refused(f"{step}: round {self.name} of {self._named['combination']} is {self.state.name}; {missing}")

    def _because(self, kind: str) -> str | None:
        found = entries.entered(self.environment, kind, **self._named)
        return str(found[0].content()["because"]) if found else None

    @property
    def _named(self) -> dict[str, str]:
        return {"combination": self.combination.combination, "round": self.name}

    def _known(self) -> dict[tuple[str, int], str]:
        """The hash of each record that counts, by step and revision."""
        known: dict[tuple[str, int], str] = {}
        for entry in entries.entered(self.environment, None, **self._named):
            body = entry.content()
            if entry.type == DONE:
                known[body["step"], body["revision"]] = body["sha256"]
            elif entry.type == VOID:
                known = {key: digest for key, digest in known.items() if key[0] not in body["steps"]}
        return known

    def _place(self, step: str, revision: int) -> Location:
        return self.folder / f"{step}.r{revision}.json"
