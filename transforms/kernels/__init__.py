"""Array functions that need care: ciphers and MACs over many values at once."""
