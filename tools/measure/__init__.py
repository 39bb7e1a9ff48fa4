"""Measure which releases go together: real environments, the import and one training step.

``python -m tools.measure run`` takes jobs from the plan (``subjects.toml``), builds an
environment of the time of the subject's release, changes one distribution at a time, runs the
live runner in it, and searches the last good and the first bad release. Every run is one row of
``results/runs.jsonl``; ``python -m tools.measure compile`` makes the shipped boundaries of them.
"""
