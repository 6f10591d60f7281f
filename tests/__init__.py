"""The test suite; a package, because a library of ours installs one of the same name."""
