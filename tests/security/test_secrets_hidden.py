"""A secret shows itself to nobody by accident: not printed, not logged, not pickled, not copied."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark import cloudpickle

from jobs.key_providers.file import FileProvider
from jobs.keys import RunSecrets
from transforms.derivation import Secret, SecretStays, for_broadcast
from transforms.draws import Draws

BYTES = b"never show these thirty-two bytes"[:32]
SECRET = Secret(BYTES)


@dataclass
class Closure:
    secret: Secret
    draws: Draws


CLOSURE = Closure(SECRET, Draws(SECRET))
HOLDERS = [SECRET, Draws(SECRET), CLOSURE, [SECRET], {"key": SECRET}]


def shows(text: str) -> bool:
    return any(form in text for form in (BYTES.decode()[:8], BYTES.hex()[:16], repr(BYTES)))


def test_the_search_finds_what_is_shown() -> None:
    assert shows(f"{BYTES!r}")
    assert shows(BYTES.hex())


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
@pytest.mark.parametrize("write", [repr, str, format, "{:}".format, "%s".__mod__, "%r".__mod__])
def test_it_is_not_printed(holder: object, write: Callable[[object], str]) -> None:
    text = write([holder])
    assert "hidden" in text
    assert not shows(text)


def test_it_is_not_logged() -> None:
    stream = io.StringIO()
    logger = logging.getLogger("test_it_is_not_logged")
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning("closure %s and %r", CLOSURE, SECRET)
    assert "Secret(hidden)" in stream.getvalue()
    assert not shows(stream.getvalue())


def test_it_is_not_in_a_traceback_with_all_variables() -> None:
    def fails(secret: Secret, draws: Draws) -> None:
        draws.bits(pa.array([b"id", None]))

    with pytest.raises(ValueError, match="null") as raised:
        fails(SECRET, Draws(SECRET))
    text = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    assert "Secret(hidden)" in text
    assert not shows(text)


def test_json_does_not_take_it() -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        json.dumps({"key": SECRET})


def test_it_has_no_variables_to_list() -> None:
    with pytest.raises(TypeError):
        vars(SECRET)
    with pytest.raises(SecretStays):
        SECRET.__getstate__()


@pytest.mark.parametrize("holder", HOLDERS, ids=lambda holder: type(holder).__name__)
@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps, copy.deepcopy])
def test_it_is_not_pickled_or_copied(holder: object, dumps: Callable[[object], object]) -> None:
    with pytest.raises(SecretStays, match="for_broadcast") as raised:
        dumps(holder)
    assert not shows(str(raised.value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_protocol_pickles_it(protocol: int) -> None:
    with pytest.raises(SecretStays):
        pickle.dumps(SECRET, protocol)


def test_a_function_that_uses_it_is_not_pickled() -> None:
    secret = Secret(BYTES)

    def task() -> bytes:
        return secret.reveal()

    with pytest.raises(SecretStays):
        cloudpickle.dumps(task)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_into_a_broadcast_it_goes_whole(dumps: Callable[[object], bytes]) -> None:
    with for_broadcast():
        pickled = dumps({"secret": SECRET, "draws": Draws(SECRET)})
    arrived = pickle.loads(pickled)
    assert arrived["secret"] == SECRET
    ids = pa.array([b"id"])
    assert (arrived["draws"].bits(ids) == Draws(SECRET).bits(ids)).all()
    # What has arrived does not go on.
    with pytest.raises(SecretStays):
        dumps(arrived)


def test_the_door_closes_behind_the_broadcast_even_when_it_fails() -> None:
    with pytest.raises(RuntimeError, match="broadcast failed"), for_broadcast():
        raise RuntimeError("broadcast failed")
    with pytest.raises(SecretStays):
        pickle.dumps(SECRET)


def test_the_door_is_open_for_one_thread_only() -> None:
    caught: list[BaseException] = []

    def other() -> None:
        try:
            pickle.dumps(SECRET)
        except SecretStays as error:
            caught.append(error)

    with for_broadcast():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(caught) == 1


def test_a_provider_and_its_store_hold_no_key(tmp_path: Path) -> None:
    provider = FileProvider.init(tmp_path / "key.json")
    key = json.loads((tmp_path / "key.json").read_text())["key"]
    store = RunSecrets(tmp_path / "keys", provider)
    store.create("run")
    pickled = pickle.dumps(store)
    assert key.encode() not in pickled
    assert key not in repr(vars(store)) + repr(vars(provider))
    assert pickle.loads(pickled).load("run") == store.load("run")
