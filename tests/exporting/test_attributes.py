"""A party's share of a round: pseudonymized and checked, only the extracted serials, withdrawn subjects, the end."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from jobs.combination.notices import notify
from jobs.combination.packages import draft, received
from jobs.keys import KeyGone
from jobs.ledger_job import main as ledger
from jobs.pseudonymize import main as pseudonymize
from jobs.publish import main as publish
from jobs.runs import RunFolder, list_runs
from jobs.tables import write_source

from .stage import COMBINATION, JULY, PEOPLE, Stage, called, fuel

EXTRACTION = "options: {extraction: {cover: equal, rest_over: 0}}\n"


@pytest.fixture
def party(stage: Stage) -> Stage:
    """A has sent its keys; the combination extracts."""
    (stage.folder / "combination.yaml").write_text(COMBINATION + EXTRACTION, "utf-8")
    return after_keys(stage)


def after_keys(stage: Stage) -> Stage:
    stage.serials_a()
    for step in ("apply", "prove"):
        stage.round("A").record(step, {})
    stage.round("A").record("keys", {"stops": None})
    return stage


def listed(stage: Stage, serials: list[str], revision: int = 1) -> None:
    """The key agency's extraction list."""
    package = draft(
        stage.roles["KMA"], stage.combination, round=JULY, kind="extraction", receiver="A", revision=revision,
        inputs=revision,
    )  # fmt: skip
    package.finish([package.sealer.write(pa.table({"serial": serials}))])


def sent_attributes(stage: Stage) -> pa.Table | None:
    found = received(stage.roles["CA"], stage.combination, round=JULY, kind="attributes", sender="A")
    return None if found is None else found.table("rows")


def all_bytes(*folders: Path) -> bytes:
    return b"".join(file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file())


def test_attributes_of_one_round(party: Stage, spark: object) -> None:
    """Waits for the list, refuses one that leaves classes too small, sends the other; then nothing is left here."""
    plan = ["--plan", party.file("a.yaml")]
    code, _, said = party.take("A", "attributes", *plan)
    assert code == 5
    assert "extraction list of KMA" in said

    # Four of each town would do for k = 3; two of one town don't, though all twelve records were fit.
    serials = party.serials_a()
    odd, even = serials[0::2], serials[1::2]
    listed(party, odd[:2] + even[:4])
    code, _, said = party.take("A", "attributes", *plan)
    assert code == 1
    assert "1 classes of the extracted records are below k = 3" in said
    assert sent_attributes(party) is None

    listed(party, odd[:4] + even[:4], revision=2)
    code, told, said = party.take("A", "attributes", *plan)
    assert (code, told["rows"], told["state"]) == (0, 8, "sent"), said
    rows = sent_attributes(party)
    assert rows is not None
    assert rows.column_names == ["serial", "town", "fuel"]  # no key column, and the serial under its own name
    source = dict(zip(serials, fuel().to_pylist(), strict=True))
    assert {row["serial"] for row in rows.to_pylist()} == set(odd[:4] + even[:4])
    for row in rows.to_pylist():
        assert row["town"] == source[row["serial"]]["town"]
        assert row["fuel"] == source[row["serial"]]["fuel"] // 1000 * 1000

    package = received(party.roles["CA"], party.combination, round=JULY, kind="attributes", sender="A")
    assert package is not None
    assert package.content["verify"]["verdict"] == "equal"
    assert package.content["review"]["verdict"] == "fit"
    assert package.content["review"]["k"]["fuel"]["asked"] == 3
    folder = RunFolder(party.roles["A"], told["run"])
    assert not folder.staging.exists()
    assert not folder.additional.exists()
    assert party.take("A", "attributes", *plan)[1]["state"] == "sent already"

    # What was sent and destroyed has its entries.
    assert called(ledger, ["verify", "--environment", party.file("A.yaml"), "--json", "--quiet"])[0] == 0
    # A party's run is no release: `publish` refuses it, whoever has decided.
    words = [told["run"], "--environment", party.file("A.yaml"), "--json", "--quiet"]
    assert called(publish, words)[0] == 3
    # Names and telephone numbers of the source are nowhere but in the source.
    others = [party.folder / "exchange", party.folder / "A" / "evidence", party.folder / "A" / "staging"]
    names = [name.encode() for column in ("cust_nm", "hp") for name in fuel().column(column).to_pylist()]
    held = all_bytes(*others)
    assert not [name for name in names if name in held]
    assert names[0] in "이름1".encode()  # what is looked for is what the source holds


def test_nothing_is_sent_of_a_run_that_failed_its_checks(stage: Stage, spark: object) -> None:
    """The plan asks for k = 3 and has one town of a single member: the review says unfit."""
    lonely = fuel().set_column(3, "town", pa.array(["독도"] + ["마포구"] * (PEOPLE - 1)))
    write_source(lonely, stage.roles["A"].zone("source") / "a/fuel", mode="replace")
    after_keys(stage)
    code, _, said = stage.take("A", "attributes", "--plan", stage.file("a.yaml"))
    assert code == 1
    assert "result.json is not fit" in said
    assert "failed (" in said  # which check of which table, as `gamyeong review` tells it
    assert "독도" not in said
    assert sent_attributes(stage) is None


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("party: A", "party: B", "combination.party: 'B'; allowed: 'A'"),
        ("name: cars-homes", "name: cars", "combination.name: 'cars'; allowed: 'cars-homes'"),
        ("plan: fuel-a", "plan: fuel-b", "plan: 'fuel-b'; allowed: 'fuel-a'"),
        ("phone: hp", "mobile: hp", "combination.key: ['mobile', 'name']; allowed: ['name', 'phone']"),
    ],
)
def test_the_plan_is_the_one_of_the_combination_file(stage: Stage, old: str, new: str, why: str) -> None:
    after_keys(stage)
    file = stage.folder / "a.yaml"
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    code, _, said = stage.take("A", "attributes", "--plan", str(file))
    assert code == 2
    assert why in said


def test_a_round_that_has_no_keys_yet(stage: Stage) -> None:
    code, _, said = stage.take("A", "attributes", "--plan", stage.file("a.yaml"))
    assert code == 3
    assert "first: `gamyeong combination keys`" in said


def test_withdrawn_subjects_go_to_both_agencies(stage: Stage) -> None:
    """Who withdrew before `keys` has no serial anywhere: only later requests are told, each time all of them."""
    stops = stage.roles["A"].zone("source") / "a/stops"
    write_source(pa.table({"member_no": pa.array([1], pa.int64())}), stops, mode="replace")
    after_keys(stage)
    table = stage.round("A")
    keys = {"stops": version_of(stops)}
    table.void("keys", because="the test says which stop requests it knew")
    table.record("keys", keys)
    write_source(pa.table({"member_no": pa.array([5], pa.int64())}), stops, mode="append")
    serials = stage.serials_a()
    plan = ["--plan", stage.file("a.yaml")]
    for people, revision in ([5], 1), ([5, 7], 2):
        if revision == 2:
            write_source(pa.table({"member_no": pa.array([7], pa.int64())}), stops, mode="append")
        code, told, said = stage.take("A", "void", *plan)
        assert (code, told["subjects"], told["revision"]) == (0, len(people), revision), said
        for agency in ("KMA", "CA"):
            found = received(stage.roles[agency], stage.combination, round=JULY, kind="void", sender="A")
            assert found is not None
            assert sorted(found.table().column("serial").to_pylist()) == sorted(serials[n - 1] for n in people)
        assert stage.take("A", "void", *plan)[1]["state"] == "sent already"
    sealed = all_bytes(stage.folder / "exchange", stage.folder / "A" / "evidence")
    assert serials[4].encode() not in sealed


def version_of(place: object) -> list[object]:
    from jobs.tables import pinned

    snapshot = pinned(place)  # type: ignore[arg-type]
    return [snapshot.table_id, snapshot.version]


def test_forgetting_waits_for_the_end_and_is_for_ever(stage: Stage) -> None:
    after_keys(stage)
    code, _, said = stage.take("A", "forget")
    assert code == 5
    assert "notice of CA" in said
    notify(stage.round("CA"), "A", {"about": "closed", "outcome": "exported"})
    for state in ("destroyed", "destroyed already"):
        code, told, _ = stage.take("A", "forget")
        assert (code, told["state"]) == (0, state)
    with pytest.raises(KeyGone):
        stage.serials_a()  # `make=True` makes none anew


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ((), "--round is missing"),
        (("--round", "July"), "--round 'July'"),
        (("--round", JULY, "--period", JULY), "--period beside --round"),
    ],
)
def test_a_partys_plan_runs_for_a_round(stage: Stage, more: tuple[str, ...], why: str) -> None:
    words = [stage.file("a.yaml"), *more, "--environment", stage.file("A.yaml"), "--json", "--quiet"]
    code, _, said = called(pseudonymize, words)
    assert code == 2
    assert why in said
    assert list_runs(stage.roles["A"]) == []


def test_other_plans_know_no_round(stage: Stage) -> None:
    words = [stage.file("output.yaml"), "--round", JULY, "--environment", stage.file("CA.yaml"), "--json", "--quiet"]
    code, _, said = called(pseudonymize, words)
    assert code == 2
    assert "the plan has no `combination`" in said
