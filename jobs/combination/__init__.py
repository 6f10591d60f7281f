"""Combination (결합): roles, packages, rounds and their steps."""
