"""The command line, the one floor of the library that knows where things lie in the repository."""
