"""The techniques (처리 기법): one module for each family."""

from transforms.techniques.catalogue import TECHNIQUES
from transforms.techniques.parsing import parse_steps

__all__ = ["TECHNIQUES", "parse_steps"]
