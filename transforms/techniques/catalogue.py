"""The techniques (처리 기법) by the names that plans use. A new one is a class, and a line here."""

from transforms.technique import Technique
from transforms.techniques.categorization import Categorization
from transforms.techniques.coding import BottomCoding, TopCoding
from transforms.techniques.keep import Keep
from transforms.techniques.pseudonyms import KeyedToken, Pseudonym, SerialNumber
from transforms.techniques.rounding import GradedRounding, Rounding
from transforms.techniques.suppression import RecordSuppression, Suppression

TECHNIQUES: dict[str, type[Technique]] = {
    "keep": Keep,
    "suppression": Suppression,
    "record-suppression": RecordSuppression,
    "rounding": Rounding,
    "graded-rounding": GradedRounding,
    "top-coding": TopCoding,
    "bottom-coding": BottomCoding,
    "categorization": Categorization,
    "serial-number": SerialNumber,
    "keyed-token": KeyedToken,
    "pseudonym": Pseudonym,
}

