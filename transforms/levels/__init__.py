"""Proposed levels (요구 수준): how coarse each quasi-identifier must be at least, found by search."""
