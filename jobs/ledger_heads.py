"""The newest head of each ledger, kept beside the ledger's key: where who may write the ledger's folder can't.

Nothing in a chain tells that its last entries were taken away; what ended in them before does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from jobs.environment import Environment
from jobs.errors import BadInput
from jobs.locks import exclusive
from jobs.storage import Location


@dataclass(frozen=True)
class KeptHead:
    """What is kept of the ledger at one place, as `SEQ:HASH`; another place of the same folder is another ledger."""

    file: Location
    name: str

    def read(self) -> str | None:
        """The head; None where none was kept yet. Read it before the ledger: the ledger then holds it."""
        return self._all().get(self.name)

    def write(self, head: str, held: Callable[[str], bool]) -> None:
        """Keeps a head in place of one that the ledger holds; what it does not hold stays, for all to see."""
        path = self.file.local
        with exclusive(Location.of(path.with_name(".ledger-heads.lock")), "the ledger's head", wait=True):
            for draft in path.parent.glob(f".{path.name}.*"):  # of a job that was killed: nobody else writes now
                draft.unlink()
            kept = self._all()
            if self.name not in kept or held(kept[self.name]):
                self.file.write_json({**kept, self.name: head})

    def lost(self, head: str) -> str:
        """What to say where the ledger does not hold it."""
        return (
            f"the ledger does not hold the head {head}, which {self.file} keeps of it: entries were replaced or taken "
            "away; allowed: the ledger as it was, from a backup; where nobody has one, who answers for it removes this "
            "head from the file"
        )

    def _all(self) -> dict[str, str]:
        try:
            kept = self.file.read_json()
        except FileNotFoundError:
            return {}
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(isinstance(one, str) for one in kept.values()):
            raise BadInput(f"{self.file} is damaged: not the heads of ledgers; allowed: the file from its backup")
        return kept


def kept_head(environment: Environment, ledger: Location) -> KeptHead:
    """Where the head of a ledger is kept."""
    name = os.path.realpath(ledger.local) if ledger.is_local else str(ledger)
    return KeptHead(Location.of(environment.reviewers.with_name("ledger-heads.json")), name)
