"""Re-identification risk (식별 위험성), computed from distinct combinations of quasi-identifiers and their numbers."""

from transforms.risk.combinations import Combinations
from transforms.risk.figures import RiskFigures
from transforms.risk.frequencies import frequencies, population_frequencies
from transforms.risk.individual import individual_risks
from transforms.risk.review import risk_figures

__all__ = [
    "Combinations",
    "RiskFigures",
    "frequencies",
    "individual_risks",
    "population_frequencies",
    "risk_figures",
]
