"""The techniques (처리 기법) by the names that plans use. A new one is a class, and a line here."""

from transforms.technique import Technique
from transforms.techniques.categorization import Categorization
from transforms.techniques.coding import BottomCoding, TopCoding
from transforms.techniques.keep import Keep
from transforms.techniques.pseudonyms import KeyedToken, Pseudonym, SerialNumber
from transforms.techniques.ranges import DataRange
from transforms.techniques.rounding import GradedRounding, Rounding
from transforms.techniques.suppression import RecordSuppression, Suppression
from transforms.techniques.texts import Masking, PartialSuppression

TECHNIQUES: dict[str, type[Technique]] = {
    "keep": Keep,
    "suppression": Suppression,
    "partial-suppression": PartialSuppression,
    "record-suppression": RecordSuppression,
    "masking": Masking,
    "rounding": Rounding,
    "graded-rounding": GradedRounding,
    "top-coding": TopCoding,
    "bottom-coding": BottomCoding,
    "data-range": DataRange,
    "categorization": Categorization,
    "serial-number": SerialNumber,
    "keyed-token": KeyedToken,
    "pseudonym": Pseudonym,
}
