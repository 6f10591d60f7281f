"""A combination file that is right, which tests change in one place."""

from __future__ import annotations

from pathlib import Path

VALID = """\
combination: mobility-housing-health
roles: {key_agency: KMA, combining_agency: CA}
parties:
  A: {supplies: fuel-a, uses: true}
  B: {supplies: housing-b}
  C: {supplies: health-c, optional: true}
key:
  columns: [name, phone, birth]
  algorithm: SHA-256
  salt_bytes: 32
  duplicates: {exclude: all, limit: 0.001}
series: {every: month, first: 2024-07, last: 2025-06, keys_due: 5, attributes_due: 12, late: cancel}
options:
  mock: {rounds: [2024-07]}
  join_rate: {floor: 0.05, asks: 1}
  extraction: {cover: equal, rest_over: 1000}
outputs:
  - {user: A, join: inner-multi, base: A, optional: [C], link_id: true}
export: {reviewers: 3, simplified: when-unchanged}
"""


def written(folder: Path, *changes: tuple[str, str], text: str = VALID) -> Path:
    """The file with each `old` (which must be there) as `new`."""
    for old, new in changes:
        assert old in text, f"the sample file has no {old!r}"
        text = text.replace(old, new, 1)
    path = folder / "combination.yaml"
    path.write_text(text, encoding="utf-8")
    return path
