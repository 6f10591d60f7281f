"""Measures of a delivered table, as functions of a Spark DataFrame."""

from transforms.measures.k_anonymity import class_sizes, k_anonymity

__all__ = ["class_sizes", "k_anonymity"]
