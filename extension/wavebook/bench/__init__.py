"""Benchmarks behind ``wavebook bench``: each measures something beside what it is compared with."""
