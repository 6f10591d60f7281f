"""Packages from someone who may write into the inbox, or from a partner whose signature is good but who means ill."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.combination import entries
from jobs.combination.identities import signing_key
from jobs.combination.packages import RECEIVED, destroy_packages, senders
from jobs.combination.parcels import decoded
from jobs.environment import Environment
from jobs.errors import BadInput, DataFailed, JobError, Refused
from tests.combination.parcel import ROUND, place, send, take
from transforms.combination.model import Combination

Change = Callable[[dict[str, Any]], None]


def resigned(everyone: dict[str, Environment], change: Change) -> None:
    """The manifest of A's package, changed and signed by A."""
    folder = place(everyone)
    raw = json.loads((folder / "manifest.json").read_bytes())
    change(raw)
    content = json.dumps(raw).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "signature").write_text(signing_key(everyone["A"]).sign(content))


def first_file(**fields: object) -> Change:
    return lambda raw: raw["files"][0].update(fields)


FIELDS: list[Change] = [
    *(first_file(name=name) for name in ("../../x.parquet.sealed", "/etc/passwd", "", ".", "manifest.json", "a\0b", 7)),
    *(first_file(rows=rows) for rows in ("5", None, -1, 2**70, 0.5, True, [])),
    *(first_file(**{name: 7}) for name in ("label", "sha256")),
    first_file(more=1),
    lambda raw: raw["files"].append(raw["files"][0]),
    lambda raw: raw.update(files={}),
    lambda raw: raw.update(content=[]),
    lambda raw: raw.update(content="x"),
    lambda raw: raw.update(spec=None),
    lambda raw: raw.update(key="zz"),
    lambda raw: raw.update(key=7),
    lambda raw: raw.update(created=0),
    lambda raw: raw.update(inputs={}),
    lambda raw: raw.update(receipt=[]),
    lambda raw: raw.update(revision=True),
    lambda raw: raw.update(revision="1"),
    lambda raw: raw.update(round="../.."),
    lambda raw: raw.update(schema={}),
    lambda raw: raw.update(schema={"keys": {"arrow": "bm90IGFycm93"}}),
    lambda raw: raw.update(format=10**400),
]


@pytest.mark.parametrize("change", FIELDS)
def test_a_signed_manifest_of_other_fields_is_refused_in_words(
    combination: Combination, everyone: dict[str, Environment], change: Change
) -> None:
    send(everyone["A"], combination)
    resigned(everyone, change)
    with pytest.raises(JobError) as caught:
        take(everyone["KMA"], combination)
    assert isinstance(caught.value, (BadInput, DataFailed, Refused))
    assert entries.entered(everyone["KMA"], RECEIVED) == []


@pytest.mark.parametrize("content", [b"[" * 100_000, b"1" * 5000, b"null", b'"x"', b"\xff", b"{}", b'{"format": 1}'])
def test_what_is_no_manifest_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what decoded promises
        decoded(content)


@pytest.mark.parametrize("file", ["manifest.json", "signature", "*.sealed"])
@pytest.mark.parametrize("what", ["link", "pipe", "device"])
def test_links_and_pipes_are_no_files(
    combination: Combination, everyone: dict[str, Environment], file: str, what: str, tmp_path: Path
) -> None:
    """Nothing of ours is read in their place, and no step waits for ever."""
    send(everyone["A"], combination)
    path = next(place(everyone).glob(file))
    content = path.read_bytes()
    path.unlink()
    if what == "pipe":
        os.mkfifo(path)
    elif what == "device":
        path.symlink_to("/dev/zero")
    else:
        (tmp_path / "same").write_bytes(content)
        path.symlink_to(tmp_path / "same")
    with pytest.raises(DataFailed):
        take(everyone["KMA"], combination)


@pytest.mark.parametrize("up", range(1, 5))
def test_no_link_on_the_way_is_followed(
    combination: Combination, everyone: dict[str, Environment], up: int, tmp_path: Path
) -> None:
    """A link in an inbox would have a zone of ours read, written, or emptied when packages are destroyed."""
    receiver = everyone["KMA"]
    send(everyone["A"], combination)
    way = [place(everyone), *place(everyone).parents][up - 1]
    shutil.move(way, tmp_path / "elsewhere")
    way.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataFailed, match="is a link"):
        take(receiver, combination)
    with pytest.raises(DataFailed, match="is a link"):
        send(everyone["A"], combination)
    if up > 2:
        with pytest.raises(DataFailed, match="is a link"):
            destroy_packages(receiver, combination, round=ROUND, kinds=["keys"])
        with pytest.raises(DataFailed, match="is a link"):
            senders(receiver, combination, ROUND, "keys")
    assert list((tmp_path / "elsewhere").rglob("manifest.json"))


def test_the_keys_zone_outlives_a_planted_link(combination: Combination, everyone: dict[str, Environment]) -> None:
    """`<round>` as a link to the folder of the zones: destroying the packages of kind `keys` would be the end of it."""
    receiver = everyone["KMA"]
    keys = receiver.zone("keys").local
    before = sorted(keys.rglob("*"))
    inbox = receiver.exchange.inbox.local / "mobility-housing-health"
    inbox.mkdir(parents=True)
    (inbox / ROUND).symlink_to(keys.parent)
    assert before
    with pytest.raises(DataFailed, match="is a link"):
        destroy_packages(receiver, combination, round=ROUND, kinds=["keys"])
    assert sorted(keys.rglob("*")) == before
