"""The guideline's forms (서식), filled in from a run's facts."""
