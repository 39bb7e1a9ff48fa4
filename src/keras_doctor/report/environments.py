"""The screen of `envs`: one line for each Python that holds a Keras or a backend."""

from __future__ import annotations
