"""A hundred planted mutations, a hundred caught: a table of them, made by planting each and looking who finds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Keep

from .checkups import CHECKUPS
from .conftest import Made, made
from .local_review import failed, verified
from .mutations import VERIFY, Mutation, mutations


@pytest.fixture(scope="module")
def run(plans_folder: Path) -> Made:
    return made(CHECKUPS, plans_folder)


def found(run: Made, mutation: Mutation, folder: Path) -> list[str]:
    """Who finds a mutation: the expectations that fail, or verify; nobody: an empty list."""
    planted = mutation.plant(run)
    if mutation.by[0] == VERIFY:
        return [f"verify: {one.what}" for one in verified(run, planted.tables).differences]
    missed = failed(run, planted.tables, folder, planted.facts)
    return [kind if column is None else f"{kind} ({column})" for kind, column in sorted(missed, key=str)]


def test_the_sound_run_is_found_sound(run: Made, tmp_path: Path) -> None:
    assert failed(run, [run.table], tmp_path) == set()
    assert verified(run, [run.table]).equal


def test_a_hundred_planted_mutations_are_all_caught(
    run: Made, tmp_path: Path, figures: Keep
) -> None:
    listed = mutations()
    assert len(listed) >= 100
    assert len({one.what for one in listed}) == len(listed)
    lines, missed = [], []
    for number, one in enumerate(listed, 1):
        kind, column = one.by
        caught = found(run, one, tmp_path)
        wanted = "verify" if kind == VERIFY else kind if column is None else f"{kind} ({column})"
        if not any(who.startswith(wanted) for who in caught):
            missed.append((one.what, one.by, caught))
        lines.append(f"{number:>3}  {one.what:<60}  {'; '.join(caught) or 'NOBODY'}")
    print("\n".join(lines))
    figures("planted mutations", {"tried": len(listed), "caught": len(listed) - len(missed)})
    assert missed == []
