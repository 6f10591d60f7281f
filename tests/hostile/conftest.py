"""Roles of a combination, to send each other packages that mean ill."""

from tests.combination.conftest import combination, everyone, roles

__all__ = ["combination", "everyone", "roles"]
