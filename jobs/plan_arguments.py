"""The arguments that name a run of a plan: the same for every job that makes or looks at one."""

import argparse


def run_arguments(parser: argparse.ArgumentParser) -> None:
    """The plan, and the period or round of it."""
    parser.add_argument("plan", metavar="PLAN", help="plan file")
    parser.add_argument("--period", metavar="PERIOD", help="one period's rows alone: 2026-10 or 2026-10-05")
    parser.add_argument("--round", metavar="ROUND", help="of a combination, for a party's plan: 2024-07, once")
