"""From the processed table to the user's own: decided, voted, exported, taken, closed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from deltalake import DeltaTable

from jobs.combination.exports import application, business_days_after
from jobs.combination.notices import notices
from transforms.combination.schedule import ONCE

from .run_by_hand import run_by_hand
from .stage import AUGUST, COMBINATION, COMMITTEE, JULY, OUTPUT, PEOPLE, Stage


def released(stage: Stage) -> DeltaTable:
    return DeltaTable(str(stage.roles["A"].zone("published") / "cars-homes" / "fuel-homes"))


def exported(stage: Stage, round: str = JULY, form: str = "meeting") -> None:
    stage.applied(round)
    stage.voted(round, form)
    stage.decided(round)
    code, told, said = stage.take("CA", "export", round=round)
    assert (code, told["outputs"]) == (0, {"A": "exported"}), said


def test_both_bodies_must_have_judged(processed: Stage) -> None:
    """Adequacy decisions are about the data, votes about their export: one alone exports nothing."""
    code, _, said = processed.take("CA", "export")
    assert code == 5
    assert "export application of A" in said
    processed.applied()
    processed.voted()
    code, _, said = processed.take("CA", "export")
    assert code == 5
    assert "3 more decision(s) of 3" in said
    assert not (processed.roles["A"].exchange.inbox / "cars-homes" / JULY / "export").exists()
    processed.decided()
    assert processed.take("CA", "export")[0] == 0


def test_the_user_gets_one_table_with_one_commit_for_each_round(processed: Stage) -> None:
    exported(processed)
    code, told, said = processed.take("A", "take")
    assert (code, told["rows"]) == (0, PEOPLE), said
    exported(processed, AUGUST)
    assert processed.take("A", "take", round=AUGUST)[0] == 0
    table = released(processed)
    assert table.version() == 1  # versions count from 0
    rows = table.to_pyarrow_table().to_pylist()
    assert sorted({row["period"] for row in rows}) == [JULY, AUGUST]
    # The rounding of the output's plan, over what the parties sent: 0, 1000, … 11,000, whole hundreds already.
    assert sorted(row["B_deposit"] for row in rows if row["period"] == JULY) == [1000 * n for n in range(PEOPLE)]
    assert table.metadata().partition_columns == ["period"]
    # The repeat link id is the same for a person in both rounds.
    links = [{row["link"] for row in rows if row["period"] == one} for one in (JULY, AUGUST)]
    assert links[0] == links[1]
    assert len(links[0]) == PEOPLE


def test_taking_again_changes_nothing(processed: Stage) -> None:
    exported(processed)
    for _ in range(2):
        code, told, _ = processed.take("A", "take")
        assert (code, told["rows"]) == (0, PEOPLE)
    assert released(processed).version() == 0
    assert processed.take("CA", "export")[0] == 0


def test_close_destroys_what_the_agency_held_and_tells_the_others(processed: Stage) -> None:
    exported(processed)
    agency = processed.roles["CA"]
    code, told, said = processed.take("CA", "close")
    assert (code, told["outcome"]) == (0, "exported"), said
    for kind in ("linking", "attributes"):
        assert not (agency.exchange.inbox / "cars-homes" / JULY / kind).exists()
        assert (agency.exchange.inbox / "cars-homes" / AUGUST / kind).exists()
    combined = DeltaTable(str(agency.zone("source") / "combinations" / "cars-homes" / "A")).to_pyarrow_table()
    assert {str(day) for day in combined.column("round").to_pylist()} == {"2024-08-01"}
    run = processed.run()
    assert not run.published(run.load_record(), "fuel-homes").exists()
    assert not run.staging.exists()
    for receiver in ("KMA", "A", "B"):
        told_of = [one["about"] for one in notices(processed.round(receiver), "CA")]
        assert told_of[-1] == "closed"
    assert processed.take("CA", "close")[0] == 0
    code, _, said = processed.take("CA", "vote", "--show")
    assert code == 3
    assert "CLOSED" in said


def test_close_waits_for_an_end(processed: Stage) -> None:
    code, _, said = processed.take("CA", "close")
    assert code == 3
    assert "neither exported nor rejected" in said
    code, told, _ = processed.take("CA", "close", "--cancel", "B has withdrawn")
    assert (code, told["outcome"]) == (0, "cancelled")
    run = processed.run()
    assert not run.staging.exists()
    assert run.read("release.json")["state"] == "cancelled"
    processed.linked(["a"], ["b"], revision=9)  # late: its sender didn't know yet
    late = processed.roles["CA"].exchange.inbox / "cars-homes" / JULY / "linking"
    assert late.exists()
    assert processed.take("CA", "close")[0] == 0
    assert not late.exists()


def test_processing_again_keeps_the_run_though_later_rounds_changed_the_table(processed: Stage) -> None:
    """The template combined August after July was processed: the source table is at another version since."""
    run = processed.run().run
    code, told, _ = processed.take("CA", "process")
    assert (code, told["outputs"]["A"]["run"]) == (5, run)


def test_a_rejection_ends_the_round_cleanly(processed: Stage) -> None:
    processed.applied()
    first, *others = COMMITTEE
    assert processed.vote(first, "--reason", "안전조치 계획 미흡", outcome="rejected")[0] == 0
    for name in others:
        assert processed.vote(name)[0] == 0
    processed.decided()
    for _ in range(2):
        code, _, said = processed.take("CA", "export")
        assert code == 1
        assert first in said
    run = processed.run()
    assert not run.staging.exists()
    assert not run.published(run.load_record(), "fuel-homes").exists()
    assert processed.take("A", "take")[0] == 5
    notice = list(notices(processed.round("A"), "CA"))[-1]
    assert notice["about"] == "rejected"
    assert first not in str(notice)
    code, told, _ = processed.take("CA", "close")
    assert (code, told["outcome"]) == (0, "rejected")


def test_the_notice_is_due_within_five_business_days() -> None:
    """L1588: 접수일로부터 영업일 기준 5일 이내. A Wednesday, then over a weekend."""
    assert business_days_after(date(2024, 7, 3), 5) == date(2024, 7, 10)
    assert business_days_after(date(2024, 7, 5), 5) == date(2024, 7, 12)
    assert business_days_after(date(2024, 7, 6), 1) == date(2024, 7, 8)


def test_a_late_notice_says_so(processed: Stage) -> None:
    processed.applied()
    seen = application(processed.round("CA"), "A", lambda: datetime.now(UTC) + timedelta(days=30))
    assert seen.notice["late"] is True
    told = list(notices(processed.round("A"), "CA"))
    assert [one["receipt"] for one in told] == ["E-cars-homes-2024-07-A-1"]


def test_a_combination_that_is_made_once(stage: Stage) -> None:
    """Without a series there is neither a period nor a link id; the user's table is the one round."""
    series = "series: {every: month, first: 2024-07, last: 2024-09, keys_due: 5, attributes_due: 12}\n"
    text = COMBINATION.replace(series, "").replace(", link_id: true", "").replace("simplified: when-unchanged", "")
    (stage.folder / "combination.yaml").write_text(text, "utf-8")
    plan = OUTPUT.replace(", period: {column: round, every: month}", "").replace("[record, round]", "[record]")
    plan = "\n".join(line for line in plan.splitlines() if not line.startswith("  link:"))
    (stage.folder / "output.yaml").write_text(plan, "utf-8")
    stage.combined(ONCE)
    run = run_by_hand(stage.roles["CA"], stage.folder / "output.yaml", None)
    stage.round("CA", ONCE).record("process", {"outputs": {"A": run}})
    exported(stage, ONCE)
    code, told, said = stage.take("A", "take", round=ONCE)
    assert (code, told["rows"]) == (0, PEOPLE), said
    table = released(stage)
    assert table.metadata().partition_columns == []
    assert table.schema().to_arrow().names == ["A_town", "A_fuel", "B_deposit"]
    assert stage.take("CA", "close", round=ONCE)[0] == 0
    assert not (stage.roles["CA"].zone("source") / "combinations" / "cars-homes" / "A").exists()
    assert not stage.run(round=ONCE).published(stage.run(round=ONCE).load_record(), "fuel-homes").exists()
