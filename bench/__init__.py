"""Benchmarks: each a ratio against a floor or a peer, measured side by side in one run."""
