"""Measurements of the retail case. See README.md; nothing here is a test."""
