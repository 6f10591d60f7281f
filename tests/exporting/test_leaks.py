"""What must not be where: serials behind the combination, anything of a round at the agency once it is closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.combination.combined import MARK
from jobs.tables import commit_files

from .stage import AUGUST, JULY, PEOPLE, Stage
from .test_export_flow import exported


def texts(*folders: Path) -> Iterator[tuple[Path, str]]:
    """Every text cell of every Parquet file below."""
    for folder in folders:
        for file in folder.rglob("*.parquet"):
            table = pq.ParquetFile(file).read()
            for column in table.select([f.name for f in table.schema if pa.types.is_string(f.type)]).columns:
                yield from ((file, text) for text in column.to_pylist() if text is not None)


def holding(words: set[str], *folders: Path) -> set[Path]:
    """The Parquet files with one of these texts in a cell."""
    return {file for file, text in texts(*folders) if any(word in text for word in words)}


def test_no_serial_behind_the_combination(processed: Stage) -> None:
    exported(processed)
    assert processed.take("A", "take")[0] == 0
    serials = {*processed.serials_a(), *(f"serial-of-b-{n}" for n in range(PEOPLE))}
    places = [processed.folder / "CA", processed.folder / "A" / "published"]
    assert holding(serials, *places) == set()
    # The search finds what it looks for: one serial planted among what was published.
    planted = places[1] / "planted.parquet"
    pq.write_table(pa.table({"note": ["x", processed.serials_a()[0]]}), planted)
    assert holding(serials, *places) == {planted}


def test_nothing_of_a_closed_round_stays_at_the_agency(processed: Stage) -> None:
    """One round exported, one cancelled: of neither a row is left in any zone, nor a package in the inbox."""
    exported(processed)
    agency = processed.folder / "CA"
    towns = {"은평구", "마포구"}
    assert holding(towns, agency) != set()
    assert processed.take("CA", "close")[0] == 0
    assert holding(towns, agency) != set()  # those of August
    assert processed.take("CA", "close", "--cancel", "the series ends", round=AUGUST)[0] == 0
    assert holding(towns, agency) == set()
    inbox = processed.roles["CA"].exchange.inbox.local / "cars-homes"
    left = {path.relative_to(inbox).parts[:2] for path in inbox.rglob("*.sealed")}
    assert left == {(JULY, "export")}  # the application for export, which is evidence


def test_an_application_names_nobody_in_the_clear(processed: Stage) -> None:
    """Who applies is sealed: the manifests lie on a share between organisations."""
    processed.applied()
    processed.take("CA", "vote", "--show")
    shared = b"".join(file.read_bytes() for file in (processed.folder / "exchange").rglob("*") if file.is_file())
    for name in ("조신청", "최대표", "02-123-4567", "safety.pdf", "기계학습"):
        assert name.encode() not in shared
        assert name.encode("unicode_escape") not in shared
    assert b"cars-homes" in shared


def test_a_tampered_export_is_not_taken(processed: Stage) -> None:
    exported(processed)
    inbox = processed.roles["A"].exchange.inbox.local / "cars-homes" / JULY / "export" / "CA" / "r1"
    (sealed,) = inbox.glob("*.sealed")
    raw = bytearray(sealed.read_bytes())
    raw[len(raw) // 2] ^= 1
    sealed.write_bytes(raw)
    code, _, said = processed.take("A", "take")
    assert code == 1
    assert "tampered" in said
    assert not (processed.roles["A"].zone("published") / "cars-homes").exists()


def test_a_mock_table_is_never_processed(processed: Stage) -> None:
    """L1440: nothing of a mock combination leaves the agency. A plan that names its table is refused."""
    file = processed.folder / "output.yaml"
    file.write_text(file.read_text("utf-8").replace("cars-homes/A,", "cars-homes/mock-A,"), "utf-8")
    code, _, said = processed.take("CA", "process")
    assert code == 3
    assert "source.table: combinations/cars-homes/mock-A; allowed: combinations/cars-homes/A" in said


def test_a_table_that_is_marked_as_mock_is_refused_under_any_name(processed: Stage) -> None:
    place = processed.roles["CA"].zone("source") / "combinations" / "cars-homes" / "A"
    place.delete()
    commit_files(place, pa.schema([("record", pa.string())]), [], description=MARK)
    code, _, said = processed.take("CA", "process")
    assert code == 3
    assert "mock combination, which nobody may export" in said


def test_a_plan_without_the_rounds_period_is_refused(processed: Stage) -> None:
    """It would mix the rounds that lie in the table."""
    file = processed.folder / "output.yaml"
    file.write_text(file.read_text("utf-8").replace(", period: {column: round, every: month}", ""), "utf-8")
    code, _, said = processed.take("CA", "process")
    assert code == 3
    assert "source.period: nothing; allowed: {column: round, every: month}" in said


def test_a_party_is_no_agency(processed: Stage) -> None:
    for step in ("process", "export"):
        code, _, said = processed.take("A", step)
        assert code == 3
        assert "combining agency (CA)" in said
    code, _, said = processed.take("A", "close")
    assert code == 3
    assert "A takes `forget`" in said
    assert processed.take("B", "take")[0] == 3
