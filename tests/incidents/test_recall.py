"""The recall list: who has the table, what was sent of it, what was made of it, where the same people can be found."""

from __future__ import annotations

from dataclasses import replace

from deltalake import DeltaTable

from jobs.combination import packages
from jobs.combination.parcels import Address, Kind, Manifest
from jobs.incidents.outputs import outputs
from jobs.incidents.quarantining import quarantine
from jobs.incidents.recall import lines
from jobs.names import folder_name
from tests.jobs.publishing.conftest import Case, MakeRun

from .test_quarantine import OUTPUT, put_away


def send(case: Case, kind: Kind, receiver: str, run: str, *, kept: bool = True) -> None:
    """Enters a package as sent, as the step of a combination does; without `kept`, its manifest is lost since."""
    address = Address("cars-homes", "2024-07", kind, "CA", receiver, 1)
    manifest = Manifest(address, "spec", None, "2026-01-05T12:00:00.000000Z", "00", (), {"run": run}, "inputs")
    content = manifest.encoded()
    packages._enter(case.environment, packages.SENT, manifest, content)
    if not kept:
        packages._copy(case.environment, packages.SENT, address).delete()


def test_packages_of_the_output_s_runs_are_listed(make_run: MakeRun) -> None:
    case = make_run().approve()
    case.publish()
    run = case.folder.run
    send(case, "export", "A", run)
    send(case, "attributes", "KMA", run)
    send(case, "export", "B", "0" * 16)  # another output's
    send(case, "keys", "KMA", run)  # no attributes of anybody
    found = put_away(case).recall
    assert [(one["receiver"], one["run"]) for one in found["exports"]] == [("A", run)]
    assert [(one["receiver"], one["round"]) for one in found["rounds"]] == [("KMA", "2024-07")]
    told = "\n".join(lines(found))
    assert "recall from A: package export of cars-homes, round 2024-07, revision 1" in told


def test_a_package_that_nobody_can_tell_of_is_listed(make_run: MakeRun) -> None:
    """Rather one too many: its manifest is gone, so it may have been this run's."""
    case = make_run().approve()
    case.publish()
    send(case, "export", "A", case.folder.run, kept=False)
    (one,) = put_away(case).recall["exports"]
    assert (one["receiver"], one["run"]) == ("A", "unknown")


def test_synthetic_tables_of_it_are_listed(make_run: MakeRun) -> None:
    case = make_run().approve()
    case.publish()
    mine = str(DeltaTable(str(case.place())).metadata().id)
    folder = case.environment.zone("evidence") / "synthetic"
    for name, origin in (("lab--one", mine), ("lab--two", "another")):
        (folder / f"{name}.json").write_json({"table": name.replace("--", "/"), "made_of": {"from": origin}})
    assert put_away(case).recall["synthetic"] == [{"table": "lab/one"}]


def test_outputs_with_the_same_pseudonyms_are_listed(make_run: MakeRun) -> None:
    series = {"member": {"technique": "keyed-token", "stable_over": "panel-2026"}}
    case = make_run(pseudonyms=series).approve()
    case.publish()
    for number, more in (("2024-018", series), ("2024-019", {})):
        other = make_run(version=int(number[-2:]), pseudonyms=more)
        other.folder.save_record(replace(other.record, application=number))
    recipient = folder_name("지역경제연구원")
    assert f"2024-019/{recipient}/retail" in outputs(case.environment)
    done = quarantine(case.environment, OUTPUT, "식별됨", "조이용")
    assert done.recall["linked"] == [{"output": f"2024-018/{recipient}/retail", "over": ["panel-2026"]}]
    assert "the same people have the same pseudonyms there (panel-2026)" in "\n".join(lines(done.recall))
