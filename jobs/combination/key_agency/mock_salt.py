"""`mock-salt`: another salt (M) for a mock combination, to each supplier; it has nothing to do with S."""

from __future__ import annotations

from jobs.combination.mock import SALT_OF_MOCK, require_mock
from jobs.combination.salts import lengthened, pack_salt
from jobs.combination.secret_store import round_secret
from jobs.combination.step import Call, Step
from jobs.job import Outcome


def body(call: Call) -> Outcome:
    """Hands M to all suppliers; the same M however often it is called, until `mock-destroy`."""
    require_mock(call)
    secret = round_secret(call.environment, call.combination, call.round.name, SALT_OF_MOCK, make=True)
    name = f"{call.combination.combination}/{call.round.name}/{SALT_OF_MOCK}"
    salt = lengthened(secret, call.environment, name, call.combination.key)
    for party in call.combination.suppliers:
        package = call.draft("mock-salt", party)
        pack_salt(package, salt)
    parties = list(call.combination.suppliers)
    call.round.record("mock-salt", {"parties": parties}, call.revision)
    text = f"round {call.round.name}: the mock combination's own salt is handed to {', '.join(parties)}"
    return Outcome({"parties": parties}, text=text)


STEP = Step(
    "mock-salt",
    "makes another salt for a mock combination, and hands it to the suppliers",
    "key agency",
    body,
    writes=("keys", "evidence"),
)
