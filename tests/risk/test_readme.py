"""The example of transforms/risk/README.md runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

README = Path(__file__).resolve().parents[2] / "transforms" / "risk" / "README.md"


def test_the_example_runs() -> None:
    code = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)  # noqa: S102 - the page's own code is what is tested
    figures = names["figures"]
    assert figures.classes.k == 2  # 40 and the unknown age agree in 부산, and 30 twice in 서울
    assert figures.prosecutor.average == 0.5
    assert figures.journalist.highest == 0.005  # 400 persons for 4 records
