"""What is measured: each row is one command that measures its floor or its peer in the same run. `python -m benchmarks --help`."""
