"""Hybrid internal model (HIM, arXiv 2312.11460) as plug-ins of rsl_rl: a blind policy that estimates its velocity."""
