"""Gather every fact about a target, without importing its packages."""
