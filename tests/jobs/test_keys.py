"""The root key wraps; run and series secrets are made once, kept wrapped, and can be destroyed."""

from __future__ import annotations

import base64
import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jobs.errors import BadInput, Operational
from jobs.key_files import KeyExists
from jobs.key_providers.file import FileProvider
from jobs.keys import KeyGone, RunSecrets, SeriesSecrets
from transforms.derivation import Secret

SECRET = Secret(bytes(range(32)))


@pytest.fixture
def provider(tmp_path: Path) -> FileProvider:
    return FileProvider.init(tmp_path / "root" / "key.json")


@pytest.fixture
def runs(tmp_path: Path, provider: FileProvider) -> RunSecrets:
    return RunSecrets(tmp_path / "keys", provider)


def root_key(tmp_path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((tmp_path / "root" / "key.json").read_text())
    return content


# The root key


def test_a_new_root_key_is_its_owners_alone(tmp_path: Path, provider: FileProvider) -> None:
    file = tmp_path / "root" / "key.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(root_key(tmp_path)["key"])) == 32
    assert provider.check() == root_key(tmp_path)["key_id"]
    assert [entry.name for entry in file.parent.iterdir()] == ["key.json"]


def test_two_root_keys_differ(tmp_path: Path) -> None:
    for name in ("a", "b"):
        FileProvider.init(tmp_path / name)
    a, b = (json.loads((tmp_path / name).read_text()) for name in ("a", "b"))
    assert a["key"] != b["key"]
    assert a["key_id"] != b["key_id"]


def test_a_root_key_is_never_overwritten(tmp_path: Path, provider: FileProvider) -> None:
    before = root_key(tmp_path)
    with pytest.raises(KeyExists, match=r"key\.json is there already"):
        FileProvider.init(tmp_path / "root" / "key.json")
    assert root_key(tmp_path) == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o620, 0o666, 0o777])
def test_a_root_key_open_to_others_is_refused(tmp_path: Path, provider: FileProvider, mode: int) -> None:
    (tmp_path / "root" / "key.json").chmod(mode)
    for use in (provider.check, lambda: provider.wrap(SECRET, {}), lambda: provider.unwrap({})):
        with pytest.raises(BadInput, match=f"mode {mode:04o}; allowed: 0600"):
            use()


def test_a_root_key_may_be_stricter(tmp_path: Path, provider: FileProvider) -> None:
    (tmp_path / "root" / "key.json").chmod(0o400)
    assert provider.check()


def test_a_missing_root_key(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"No such file.*keys init"):
        FileProvider(tmp_path / "none.json").check()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b'{"format": 1}',
        b'{"format": 1, "key_id": "a", "key": "AAAA"}',
        b'{"format": 2, "key_id": "a", "key": "' + base64.b64encode(bytes(32)) + b'"}',
        b"\xff\xfe",
    ],
)
def test_a_file_that_is_no_root_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(BadInput, match="is no root key"):
        FileProvider(path).check()


# Wrapping


def test_wrapping_is_aes_256_gcm_under_the_root_key(tmp_path: Path, provider: FileProvider) -> None:
    wrapped = provider.wrap(SECRET, {"name": "실행"})
    key_id = root_key(tmp_path)["key_id"]
    associated = (
        f'{{"algorithm":"AES-256-GCM","context":{{"name":"실행"}},"format":1,"key_id":"{key_id}"}}'.encode()
    )
    opened = AESGCM(base64.b64decode(root_key(tmp_path)["key"])).decrypt(
        base64.b64decode(wrapped["nonce"]), base64.b64decode(wrapped["secret"]), associated
    )
    assert opened == SECRET.reveal()
    assert len(base64.b64decode(wrapped["nonce"])) == 12


def test_what_is_wrapped_comes_back_through_json(provider: FileProvider) -> None:
    wrapped = json.loads(json.dumps(provider.wrap(SECRET, {"name": "r"})))
    assert provider.unwrap(wrapped) == SECRET


def test_wrapping_twice_shows_nothing_in_common(provider: FileProvider) -> None:
    first, second = provider.wrap(SECRET, {}), provider.wrap(SECRET, {})
    assert first["nonce"] != second["nonce"]
    assert first["secret"] != second["secret"]


def flipped(text: str) -> str:
    content = bytearray(base64.b64decode(text))
    content[0] ^= 1
    return base64.b64encode(bytes(content)).decode()


@pytest.mark.parametrize(
    ("name", "alter"),
    [
        ("secret", flipped),
        ("secret", lambda text: text[:8]),
        ("secret", lambda text: "*" + text),
        ("secret", lambda text: None),
        ("nonce", flipped),
        ("nonce", lambda text: ""),
        ("context", lambda context: {**context, "name": "other"}),
        ("context", lambda context: None),
        ("algorithm", lambda text: "AES-128-GCM"),
        ("format", lambda number: 2),
    ],
)
def test_anything_altered_is_found(provider: FileProvider, name: str, alter: Any) -> None:
    wrapped = provider.wrap(SECRET, {"name": "r"})
    assert provider.unwrap(wrapped) == SECRET
    with pytest.raises(Operational, match="damaged or was altered"):
        provider.unwrap({**wrapped, name: alter(wrapped[name])})
    with pytest.raises(Operational, match="damaged or was altered"):
        provider.unwrap({key: value for key, value in wrapped.items() if key != name})


def test_another_root_key_does_not_unwrap(tmp_path: Path, provider: FileProvider) -> None:
    other = FileProvider.init(tmp_path / "other.json")
    with pytest.raises(BadInput, match=f"another root key than .*other.json .key id {other.check()}"):
        other.unwrap(provider.wrap(SECRET, {}))


# Secrets of runs and series


def test_a_run_secret_is_made_once_and_loaded_again(tmp_path: Path, runs: RunSecrets) -> None:
    assert not runs.exists("2f1c")
    made = runs.create("2f1c")
    assert len(made.reveal()) == 32
    assert runs.exists("2f1c")
    assert runs.load("2f1c") == made
    assert runs.create("77aa") != made
    with pytest.raises(KeyExists, match="run 2f1c is there already"):
        runs.create("2f1c")
    assert runs.load("2f1c") == made


def test_only_its_wrapped_form_is_stored(tmp_path: Path, runs: RunSecrets) -> None:
    secret = runs.create("2f1c").reveal()
    folder = tmp_path / "keys" / "runs"
    assert [entry.name for entry in folder.iterdir()] == ["2f1c.json"]
    assert stat.S_IMODE((folder / "2f1c.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    content = (folder / "2f1c.json").read_bytes()
    for form in (secret, secret.hex().encode(), base64.b64encode(secret)):
        assert form not in content


def test_a_destroyed_secret_is_gone(tmp_path: Path, runs: RunSecrets) -> None:
    runs.create("2f1c")
    kept = runs.create("77aa")
    assert runs.destroy("2f1c")
    assert not runs.exists("2f1c")
    with pytest.raises(KeyGone, match="run 2f1c: destroyed, or never made") as raised:
        runs.load("2f1c")
    assert raised.value.exit_code == 3
    assert not runs.destroy("2f1c")
    assert runs.load("77aa") == kept
    assert [entry.name for entry in (tmp_path / "keys" / "runs").iterdir()] == ["77aa.json"]


def test_destroying_before_anything_was_made(runs: RunSecrets) -> None:
    assert not runs.destroy("2f1c")


def test_destroying_takes_what_a_crash_left(tmp_path: Path, runs: RunSecrets) -> None:
    runs.create("a")
    folder = tmp_path / "keys" / "runs"
    # A draft that was written but never took its name holds the same wrapped secret.
    (folder / ".a.json.0123456789abcdef").write_bytes((folder / "a.json").read_bytes())
    (folder / ".a.json.b.json.0123456789abcdef").write_text("of the run a.json.b")
    assert runs.destroy("a")
    assert [entry.name for entry in folder.iterdir()] == [".a.json.b.json.0123456789abcdef"]


def test_a_crash_while_storing_leaves_no_secret(
    tmp_path: Path, runs: RunSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "link", full)
        with pytest.raises(Operational, match="run 2f1c can't be written: No space left on device"):
            runs.create("2f1c")
    assert not runs.exists("2f1c")
    assert list((tmp_path / "keys" / "runs").iterdir()) == []
    assert runs.create("2f1c") == runs.load("2f1c")


def test_of_many_that_obtain_at_once_all_get_the_same(runs: RunSecrets) -> None:
    got: list[bytes] = []
    start = threading.Barrier(8)

    def obtain() -> None:
        start.wait()
        got.append(runs.obtain("2f1c").reveal())

    threads = [threading.Thread(target=obtain) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert set(got) == {runs.load("2f1c").reveal()}


def test_a_secret_under_another_name_is_refused(tmp_path: Path, runs: RunSecrets) -> None:
    runs.create("2f1c")
    folder = tmp_path / "keys" / "runs"
    (folder / "77aa.json").write_bytes((folder / "2f1c.json").read_bytes())
    with pytest.raises(Operational, match="run 77aa is damaged or another one's"):
        runs.load("77aa")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"context": 1}'])
def test_a_damaged_file(tmp_path: Path, runs: RunSecrets, content: bytes) -> None:
    runs.create("2f1c")
    (tmp_path / "keys" / "runs" / "2f1c.json").write_bytes(content)
    with pytest.raises(Operational, match="damaged"):
        runs.load("2f1c")


def test_series_and_runs_of_one_name_have_secrets_of_their_own(
    tmp_path: Path, provider: FileProvider, runs: RunSecrets
) -> None:
    series = SeriesSecrets(tmp_path / "keys", provider)
    made = series.create("revisit-2024")
    assert runs.create("revisit-2024") != made
    assert series.load("revisit-2024") == made
    runs.destroy("revisit-2024")
    assert series.load("revisit-2024") == made
    file = tmp_path / "keys" / "series" / "revisit-2024.json"
    (tmp_path / "keys" / "runs" / "revisit-2024.json").write_bytes(file.read_bytes())
    with pytest.raises(Operational, match="another one's"):
        runs.load("revisit-2024")


def test_names_in_korean(tmp_path: Path, provider: FileProvider) -> None:
    series = SeriesSecrets(tmp_path / "keys", provider)
    assert series.create("재방문-2024") == series.load("재방문-2024")


@pytest.mark.parametrize("name", ["", "../root/key", "a/b", ".hidden", "a b", "a\n", "가" * 67, "a\0"])
def test_names_that_lead_elsewhere_are_refused(runs: RunSecrets, name: str) -> None:
    for use in (runs.create, runs.load, runs.exists, runs.destroy, runs.obtain):
        with pytest.raises(BadInput, match="as the name of a run; allowed: letters"):
            use(name)
