"""What a technique is given besides the values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import Site

if TYPE_CHECKING:
    from transforms.classes import Classes
    from transforms.derivation import Secret
    from transforms.draws import Draws
    from transforms.hierarchy import Hierarchy


@dataclass(frozen=True)
class KeyUse:
    """What a step needs a subkey of its own for: an algorithm, and how many bytes that takes.

    `domain`: columns that name the same one share the subkey (else it is the column's own); `stable_over`: of
    this series in place of the run.
    """

    algorithm: str
    length: int = 32
    domain: str | None = None
    stable_over: str | None = None


@dataclass(frozen=True)
class SiteKey:
    """A step's subkey, and the names that it was derived from (no secret): what ciphertexts are bound to."""

    secret: Secret
    context: bytes


@dataclass(frozen=True)
class Given:
    """Bound to one site (column, step, plan path) and one batch of rows.

    `facts` are this step's concluded facts by name; `draws` are keyed to the site already (None in
    review, which has no keys); `rows` and `subjects` are the ids to draw by; `columns` the source
    columns that a `when:` or `by:` names, unchanged; `ranks` each row's serial number (int64, from 1),
    known only behind the shuffle; `key` the subkey that a technique's `key_use` asks for (None for all others,
    and in review); `classes` the rows' classes by the step's `by` columns, for steps that work within whole classes
    or by figures of classes; `row_ids` the ids to draw by of some rows, where few are needed; `shared`
    what other columns' steps have worked out already on the same whole classes.
    """

    site: Site
    facts: Mapping[str, Any] = field(default_factory=dict)
    hierarchy: Hierarchy | None = None
    draws: Draws | None = None
    rows: pa.Array | None = None
    subjects: pa.Array | None = None
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    ranks: pa.Array | None = None
    key: SiteKey | None = None

    def chosen(self, rows: pa.Array) -> Given:
        """The same for some of the rows (a Boolean array without nulls)."""
        return replace(
            self,
            rows=None if self.rows is None else self.rows.filter(rows),
            subjects=None if self.subjects is None else self.subjects.filter(rows),
            columns={name: column.filter(rows) for name, column in self.columns.items()},
            ranks=None if self.ranks is None else self.ranks.filter(rows),
        )

    classes: Classes | None = None
    row_ids: Callable[[npt.NDArray[np.int64]], pa.Array] | None = None
    shared: dict[Any, Any] = field(default_factory=dict)
