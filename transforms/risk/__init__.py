"""Re-identification risk (식별 위험성), computed from distinct combinations of quasi-identifiers and their numbers."""

from transforms.risk.combinations import Combinations
from transforms.risk.figures import RiskFigures

__all__ = ["Combinations", "RiskFigures"]
