"""Steps that every role takes."""
