"""Measures Everbearer and its peers side by side. `benchmarks/README.md` says how and what."""
