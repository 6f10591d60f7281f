"""Manifests are signed and not encrypted: whoever reaches an inbox learns names and counts from them, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Roles
from .party_round import TEXTS, PartyRound, member


def test_no_manifest_holds_a_cell_a_serial_or_a_key(
    roles: Roles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = PartyRound.of(roles, tmp_path, capsys)
    people = [member(number, f"홍길동{number}", born=f"198001{number:02d}") for number in range(10, 20)]
    for party in ("A", "B"):
        at.register(party, people)
    at.salted("A", "B")
    for party in ("A", "B"):
        at.done(party, "keys")
    at.register("A", people, stops=(10,))
    at.done("A", "void", "--plan", str(at.folder / "A.plan.yaml"))
    cells = {row[name] for row in people for name in TEXTS if name != "sex"}
    keys = at.keys("A")
    told = [path.read_text("utf-8") for path in (at.folder / "exchange").rglob("manifest.json")]
    assert any('"kind": "void"' in text for text in told)
    assert any('"kind": "keys"' in text for text in told)
    for text in told:
        assert not [one for one in (*cells, *keys.values(), *(key.hex() for key in keys)) if one in text]
