"""Identification numbers in cells: found by their form and check digit, alone in a cell or within longer text."""
