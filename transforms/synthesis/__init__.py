"""Synthetic data (재현데이터): made from pseudonymized tables, with figures of their quality and privacy."""
