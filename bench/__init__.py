"""Benchmarks: figures and ratios against a named floor, never a verdict."""
