"""The techniques (처리 기법) by the names that plans use. A new one is a class, and a line here."""

from transforms.technique import Technique
from transforms.techniques.aggregation import Aggregation
from transforms.techniques.anatomization import Anatomization
from transforms.techniques.categorization import Categorization
from transforms.techniques.coding import BottomCoding, TopCoding
from transforms.techniques.combination_serial import CombinationSerial
from transforms.techniques.controlled_rounding import ControlledRounding
from transforms.techniques.date_shift import DateShift
from transforms.techniques.dates import Age, DateGeneralization
from transforms.techniques.format_preserving import FormatPreservingEncryption
from transforms.techniques.hashing import OneWayHash
from transforms.techniques.homomorphic import HomomorphicEncryption
from transforms.techniques.keep import Keep
from transforms.techniques.masking import Masking
from transforms.techniques.microaggregation import Microaggregation
from transforms.techniques.noise import Noise
from transforms.techniques.order_preserving import OrderPreservingEncryption
from transforms.techniques.permutation import Permutation
from transforms.techniques.polymorphic import PolymorphicPseudonym
from transforms.techniques.privacy import DifferentialPrivacy
from transforms.techniques.pseudonyms import KeyedToken, Pseudonym, SerialNumber
from transforms.techniques.random_rounding import RandomRounding
from transforms.techniques.ranges import DataRange
from transforms.techniques.regions import Region
from transforms.techniques.replacement import RandomReplacement
from transforms.techniques.rounding import GradedRounding, Rounding
from transforms.techniques.sealing import TwoWayEncryption
from transforms.techniques.secret_sharing import SecretSharing
from transforms.techniques.suppression import RecordSuppression, Suppression
from transforms.techniques.texts import PartialSuppression
from transforms.techniques.tokens import Tokenization

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
    "date-generalization": DateGeneralization,
    "age": Age,
    "region": Region,
    "serial-number": SerialNumber,
    "keyed-token": KeyedToken,
    "pseudonym": Pseudonym,
    "combination-serial": CombinationSerial,
    "polymorphic-pseudonym": PolymorphicPseudonym,
    "order-preserving-encryption": OrderPreservingEncryption,
    "homomorphic-encryption": HomomorphicEncryption,
    "anatomization": Anatomization,
    "secret-sharing": SecretSharing,
    "differential-privacy": DifferentialPrivacy,
    "random-rounding": RandomRounding,
    "noise": Noise,
    "date-shift": DateShift,
    "random-replacement": RandomReplacement,
    "tokenization": Tokenization,
    "aggregation": Aggregation,
    "controlled-rounding": ControlledRounding,
    "permutation": Permutation,
    "microaggregation": Microaggregation,
    "two-way-encryption": TwoWayEncryption,
    "one-way-hash": OneWayHash,
    "format-preserving-encryption": FormatPreservingEncryption,
}
