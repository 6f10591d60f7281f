"""Measures of a delivered table, as functions of a Spark DataFrame."""

from transforms.measures.class_table import ClassTable, class_table, class_table_of
from transforms.measures.disclosure import Disclosure, disclosure, disclosure_of
from transforms.measures.encrypted_sums import encrypted_sums
from transforms.measures.k_anonymity import class_sizes, k_anonymity
from transforms.measures.matching import matching
from transforms.measures.models import (
    alpha_k_anonymity,
    basic_beta_likeness,
    delta_disclosure,
    enhanced_beta_likeness,
    entropy_l_diversity,
    l_diversity,
    recursive_c_l_diversity,
    t_closeness,
)
from transforms.measures.risk import risk
from transforms.measures.share_sums import share_sums

__all__ = [
    "ClassTable",
    "Disclosure",
    "alpha_k_anonymity",
    "basic_beta_likeness",
    "class_sizes",
    "class_table",
    "class_table_of",
    "delta_disclosure",
    "disclosure",
    "disclosure_of",
    "encrypted_sums",
    "enhanced_beta_likeness",
    "entropy_l_diversity",
    "k_anonymity",
    "l_diversity",
    "matching",
    "recursive_c_l_diversity",
    "risk",
    "share_sums",
    "t_closeness",
]
