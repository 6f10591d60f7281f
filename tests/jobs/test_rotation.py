"""A new root key in place of the old one: all secrets are wrapped anew, none changes, the old key is not needed."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from jobs import keys_job
from jobs.environment import Environment, load_environment
from jobs.errors import BadInput, Operational
from jobs.key_providers import provider_of
from jobs.key_providers.file import FileProvider
from jobs.keys import STORES, KeyGone, RunSecrets, SeriesSecrets, StoredSecrets
from jobs.ledger import evidence_ledger
from jobs.rotation import rotate, wrapped_by
from transforms.derivation import Secret


@pytest.fixture
def old(environment: Environment) -> FileProvider:
    return FileProvider.init(environment.keys.path)


@pytest.fixture
def secrets(environment: Environment, old: FileProvider) -> dict[tuple[str, str], Secret]:
    """Secrets of every kind, wrapped by the old root key."""
    zone = environment.zone("keys")
    return {(s.noun, f"n{i}"): s(zone, old).create(f"n{i}") for s in STORES for i in range(3)}


@pytest.fixture
def changing(environment_file: Path, old: FileProvider, tmp_path: Path) -> Environment:
    """The environment while the root key is replaced: the new one in `keys`, the old one in `retiring_keys`."""
    yaml = YAML()
    raw = yaml.load(environment_file)
    raw["retiring_keys"], raw["keys"] = raw["keys"], {"provider": "file", "path": str(tmp_path / "new.json")}
    yaml.dump(raw, environment_file)
    FileProvider.init(tmp_path / "new.json")
    return load_environment(environment_file)


def held(environment: Environment, provider: Any) -> dict[tuple[str, str], Secret]:
    zone = environment.zone("keys")
    return {(s.noun, name): s(zone, provider).load(name) for s in STORES for name in s(zone, provider).names()}


def test_all_secrets_stay_and_the_old_root_key_is_not_needed(
    environment_file: Path, changing: Environment, secrets: dict[tuple[str, str], Secret], tmp_path: Path
) -> None:
    proofs = [RunSecrets(changing.zone("keys"), provider_of(changing)).card("n0").plain()]
    assert keys_job.main(["rotate", "--environment", str(environment_file), "--quiet"]) == 0
    Path(changing.retiring_keys.path).unlink()  # type: ignore[union-attr]
    new = FileProvider(tmp_path / "new.json")
    assert held(changing, new) == secrets
    assert len(secrets) == 12
    # What the ledger took of a secret when it was made, still proves it; only the root key is another.
    proofs.append(RunSecrets(changing.zone("keys"), new).card("n0").plain())
    assert [one["check"] for one in proofs] == [proofs[0]["check"]] * 2
    assert proofs[0]["canary"] == proofs[1]["canary"]
    assert proofs[0]["key_id"] != proofs[1]["key_id"] == new.check()
    entry = evidence_ledger(changing, write=False).find("keys-rotate")
    assert entry is not None
    assert entry.content() == {"key_id": new.check(), "from": [proofs[0]["key_id"]], "rewrapped": 12}


def test_meanwhile_jobs_go_on(changing: Environment, secrets: dict[tuple[str, str], Secret], old: FileProvider) -> None:
    runs = RunSecrets(changing.zone("keys"), provider_of(changing))
    assert runs.load("n0") == secrets["run", "n0"]
    fresh = runs.create("later")
    assert wrapped_by(changing) == {old.check(): 12, provider_of(changing).check(): 1}
    done = rotate(changing)
    assert (done.rewrapped, done.already) == (12, 1)
    assert held(changing, provider_of(changing)) == {**secrets, ("run", "later"): fresh}
    assert rotate(changing).rewrapped == 0


@pytest.mark.parametrize("at", range(7))
def test_killed_at_any_file_one_of_both_opens_every_secret(
    changing: Environment, secrets: dict[tuple[str, str], Secret], at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, done = os.replace, [0]

    def replace(*given: Any) -> None:
        done[0] += 1
        if done[0] > 2 * at:
            raise KeyboardInterrupt
        real(*given)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        if at == 6:  # behind the last file, before the entry
            patched.setattr("jobs.rotation._enter", lambda *_: replace())
        with pytest.raises(KeyboardInterrupt):
            rotate(changing)
    assert held(changing, provider_of(changing)) == secrets
    assert rotate(changing).rewrapped == 12 - 2 * at
    entry = evidence_ledger(changing, write=False).find("keys-rotate")
    assert entry is not None
    assert entry.content()["rewrapped"] == 12, "the killed attempt's, too"
    assert held(changing, FileProvider(changing.keys.path)) == secrets
    left = [path for store in STORES for path in (changing.zone("keys").local / store.folder).glob(".*")]
    assert left == []


def test_half_written_files_of_a_kill_go_with_the_next(changing: Environment, secrets: object) -> None:
    folder = changing.zone("keys").local / "runs"
    (folder / ".n0.json.0123456789abcdef").write_text("half")
    rotate(changing)
    assert sorted(path.name for path in folder.iterdir()) == ["n0.json", "n1.json", "n2.json"]


def test_what_is_destroyed_meanwhile_does_not_come_back(
    changing: Environment, secrets: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another job destroys a secret after it was opened, before its new form is written."""
    runs = RunSecrets(changing.zone("keys"), provider_of(changing))
    real = FileProvider.wrap

    def wrap(self: FileProvider, secret: Secret, context: Any) -> dict[str, Any]:
        other = threading.Thread(target=runs.destroy, args=("n1",))
        other.start()
        other.join()
        return real(self, secret, context)

    monkeypatch.setattr(FileProvider, "wrap", wrap)
    assert not runs.rewrap("n1")
    with pytest.raises(KeyGone):
        runs.load("n1")


def test_what_is_made_anew_meanwhile_stays(
    changing: Environment, secrets: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`keys compromised` puts a new secret in place of one that others may have: rotation must not bring that back."""
    runs = RunSecrets(changing.zone("keys"), provider_of(changing))
    real, made = FileProvider.wrap, list[Secret]()

    def renewed() -> None:
        runs.destroy("n1")
        made.append(runs.create("n1"))

    def wrap(self: FileProvider, secret: Secret, context: Any) -> dict[str, Any]:
        monkeypatch.setattr(FileProvider, "wrap", real)
        other = threading.Thread(target=renewed)
        other.start()
        other.join()
        return real(self, secret, context)

    monkeypatch.setattr(FileProvider, "wrap", wrap)
    assert not runs.rewrap("n1")
    assert runs.load("n1") == made[0]


def test_a_secret_of_a_third_root_key_stops_it(changing: Environment, secrets: object, tmp_path: Path) -> None:
    third = FileProvider.init(tmp_path / "third.json")
    SeriesSecrets(changing.zone("keys"), third).create("strange")
    (changing.zone("keys").local / "runs" / "n1.json").rename(tmp_path / "away.json")
    with pytest.raises(BadInput, match=r"11 secrets wrapped anew, 1 not:\nseries strange: .*another root key"):
        rotate(changing)
    assert sorted(wrapped_by(changing).values()) == [1, 11], "it keeps no other back"


def test_a_damaged_secret_keeps_no_other_back(changing: Environment, secrets: object) -> None:
    """A copy that some program left beside them, as well."""
    folder = changing.zone("keys").local / "runs"
    (folder / "n1.json").write_text("{}")
    (folder / "n0 (copy).json").write_bytes((folder / "n0.json").read_bytes())
    with pytest.raises(Operational, match="11 secrets wrapped anew, 2 not:") as told:
        rotate(changing)
    assert "run n1: the file with the secret of run n1 is damaged" in str(told.value)
    assert "run n0 (copy): " in str(told.value)
    entry = evidence_ledger(changing, write=False).find("keys-rotate")
    assert entry is not None
    assert entry.content()["rewrapped"] == 11


def test_a_job_with_the_old_environment_is_told_of(
    environment: Environment, changing: Environment, secrets: object, old: FileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was started before, and makes a new secret under the old root key just when all are wrapped anew."""
    late, real = RunSecrets(environment.zone("keys"), old), StoredSecrets.sweep

    def sweep(self: StoredSecrets) -> int:
        if self.noun == "combination" and not late.exists("late"):  # all runs are done by now
            late.create("late")
        return real(self)

    monkeypatch.setattr(StoredSecrets, "sweep", sweep)
    with pytest.raises(Operational, match=f"1 secrets were made under another root key .{old.check()}"):
        rotate(changing)
    assert rotate(changing).rewrapped == 1


def test_check_counts_by_root_key(
    environment_file: Path,
    changing: Environment,
    secrets: object,
    old: FileProvider,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert keys_job.main(["check", "--environment", str(environment_file), "--json"]) == 0
    out = capsys.readouterr().out
    assert f"12 secrets are wrapped by root key {old.check()}: `gamyeong keys rotate`" in out
    assert json.loads(out.splitlines()[-1])["wrapped"] == {old.check(): 12}


def without_retiring(environment_file: Path, **more: object) -> None:
    yaml = YAML()
    raw = yaml.load(environment_file)
    del raw["retiring_keys"]
    yaml.dump({**raw, **more}, environment_file)


def test_check_fails_where_the_root_key_opens_not_all(
    environment_file: Path, changing: Environment, secrets: object, capsys: pytest.CaptureFixture[str]
) -> None:
    without_retiring(environment_file)
    assert keys_job.main(["check", "--environment", str(environment_file)]) == 1
    assert "it does not open them; allowed: that key under `keys`" in capsys.readouterr().out


def test_one_root_key_does_not_take_its_own_place(
    environment_file: Path, changing: Environment, secrets: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else it would be called free to be destroyed."""
    yaml = YAML()
    same = yaml.load(environment_file)["keys"]
    without_retiring(environment_file, retiring_keys=same)
    assert keys_job.main(["rotate", "--environment", str(environment_file)]) == 2
    assert "are one root key" in capsys.readouterr().err
