"""What every benchmark's command takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import report


def command(prog: str, about: str, *, rounds: int = 3) -> argparse.ArgumentParser:
    """A parser with the rounds (so many where not said), the folder of made tables, and where results go."""
    parser = argparse.ArgumentParser(prog=prog, description=about, allow_abbrev=False)
    parser.add_argument("--rounds", type=int, default=rounds, metavar="N", help=f"after the first (default: {rounds})")
    parser.add_argument("--folder", type=Path, default=Path("warehouse/benchmarks"), help="made tables stay there")
    parser.add_argument("--results", type=Path, default=report.RESULTS, help="where the JSON goes (default: results)")
    return parser
