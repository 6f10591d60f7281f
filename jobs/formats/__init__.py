"""Files from outside, format by format, as record batches of the closed list of types.

A format knows how to `survey` its files (their columns, what types they seem to have, how they split into
units of work) and how to `read` one unit. What is wrong comes back as texts that hold no cell value.
"""
