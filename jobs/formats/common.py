"""What all formats share: options, a survey of files, problems with a count and a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from jobs.columns import brought_in, type_problems
from jobs.errors import BadInput, Operational
from jobs.storage import Location

SHOWN = 20


@dataclass(frozen=True)
class Options:
    """How text files are read. `nulls` are the cell texts that mean null (an unquoted empty cell)."""

    encoding: str = "utf-8"
    delimiter: str = ","
    nulls: tuple[str, ...] = ("",)
    time_zone: str | None = None


class Problems(Exception):
    """What is wrong with a unit's data: texts without cell values. `operational`: the file is damaged."""

    def __init__(self, texts: list[str], *, operational: bool = False) -> None:
        super().__init__(len(texts))
        self.texts, self.operational = texts[:SHOWN], operational


@dataclass(frozen=True)
class Survey:
    """What a look at the files told: column types (None: not to be told from here), units of work as JSON."""

    columns: dict[str, pa.DataType]
    units: list[dict[str, Any]] = field(default_factory=list)


def files_of(paths: list[str], suffixes: tuple[str, ...]) -> list[Location]:
    """The files that the paths name; a folder stands for its files with one of the suffixes, sorted.

    BadInput, all at once, for a path where there is nothing.
    """
    import pyarrow.fs as pafs

    found: list[Location] = []
    missing = []
    for path in paths:
        place = Location.of(path)
        filesystem, inner = place.filesystem()
        info = filesystem.get_file_info(inner)
        if info.type == pafs.FileType.Directory:
            inside = filesystem.get_file_info(pafs.FileSelector(inner))
            names = sorted(
                one.base_name
                for one in inside
                if one.is_file and one.base_name.endswith(suffixes) and one.base_name[0] not in "._"
            )
            found += [place / name for name in names]
            missing += [] if names else [f"{path}: a folder without files that end in {' or '.join(suffixes)}"]
        elif info.type == pafs.FileType.NotFound:
            missing.append(f"{path}: no such file")
        else:
            found.append(place)
    if missing:
        raise BadInput("\n".join(missing))
    return found


def checked_names(names: list[str], file: Location) -> list[str]:
    """The column names of a file, if each is there, printable, and differs in more than case.

    Problems tell columns by their place: where the header line is missing, the names are a person's cells.
    """
    problems = [f"{file}: column {at} has no name" for at, name in enumerate(names, 1) if not name.strip()]
    problems += [f"{file}: column {at}: a name with control characters" for at, name in enumerate(names, 1)
                 if name.strip() and not name.isprintable()]  # fmt: skip
    seen: dict[str, int] = {}
    for at, name in enumerate(names, 1):
        if name.lower() in seen and name.strip():
            problems.append(f"{file}: columns {seen[name.lower()]} and {at} have one name")
        seen[name.lower()] = at
    if problems:
        raise BadInput("\n".join(problems))
    return names


def opened(file: Location) -> Any:
    """The file for reading; Operational where it can't be opened."""
    filesystem, path = file.filesystem()
    try:
        return filesystem.open_input_file(path)
    except OSError as error:
        raise Operational(f"{file} can't be read ({error.strerror or type(error).__name__})") from None


def cast_safely(column: pa.Array, type_: pa.DataType, where: str) -> pa.Array:
    """A column in another type, every value kept; Problems where a value has no place in it."""
    if column.type == type_:
        return column
    try:
        if pa.types.is_timestamp(column.type) and not column.type.tz and type_ == pa.timestamp("us", "UTC"):
            return column.cast(pa.timestamp("us")).cast(type_)
        return column.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise Problems(
            [f"{where}: {column.type} holds values that {type_} can't (too large, or digits would be lost)"]
        ) from None


def allowed_types(columns: dict[str, pa.DataType], file: Location) -> dict[str, pa.DataType]:
    """Each column's type on the closed list; BadInput, all at once, for those that have none (nested …)."""
    problems = type_problems(
        pa.schema([(name, type_) for name, type_ in columns.items() if brought_in(type_) is None]), str(file)
    )
    if problems:
        raise BadInput("\n".join(problems))
    return {name: brought_in(type_) for name, type_ in columns.items()}


Batches = Iterator[pa.RecordBatch]
