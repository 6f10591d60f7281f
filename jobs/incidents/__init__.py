"""Incidents (사고 대응): what is stopped, moved out of reach, recalled, and at last restored or destroyed."""
