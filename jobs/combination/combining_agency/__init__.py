"""Steps of the combining agency (결합전문기관)."""
