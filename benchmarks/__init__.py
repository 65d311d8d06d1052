"""One command per figure of docs/performance.md: ``python -m benchmarks NAME``."""
