"""Steps of the key management agency (결합키관리기관)."""
