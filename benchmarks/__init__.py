"""Speed and settings, measured: `python -m benchmarks.<name> --help` says what each compares."""
