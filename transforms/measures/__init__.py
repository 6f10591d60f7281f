"""Measures of a delivered table, as functions of a Spark DataFrame."""

from transforms.measures.class_table import ClassTable, class_table, class_table_of
from transforms.measures.encrypted_sums import encrypted_sums
from transforms.measures.k_anonymity import class_sizes, k_anonymity
from transforms.measures.share_sums import share_sums

__all__ = [
    "ClassTable",
    "class_sizes",
    "class_table",
    "class_table_of",
    "encrypted_sums",
    "k_anonymity",
    "share_sums",
]
