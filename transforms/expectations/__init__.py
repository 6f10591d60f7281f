"""The adequacy review (적정성 검토) as Great Expectations classes; `suite.py` makes the suite from a plan."""
