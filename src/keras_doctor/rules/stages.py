"""Where on the way of the import a cause bites: the causal order of independent causes.

A cause of an earlier stage hides those of later ones: a Python that does not start hides
everything, a shadowing file hides the choice of the backend, and so on.
"""

from __future__ import annotations

START = 10
"""Python itself: PYTHONHOME, a wrong interpreter."""
PATH = 20
"""What is first on sys.path: shadowing files, foreign and double installations."""
PRESENCE = 30
"""Whether Keras is there at all."""
SELECTION = 40
"""The backend is chosen. It comes before the other settings because they hang on it: which
backend it is decides what else is needed at all."""
CONFIGURATION = 45
"""The values in keras.json are used."""
FILES = 60
"""The files of the packages are loaded."""
LOADER = 65
"""The dynamic loader brings in what the files of the packages are linked to."""
VERSIONS = 70
"""The versions meet."""
COMPILER = 75
"""Theano, found and imported, makes its folder and compiles."""
CODE = 80
"""The user's own lines run."""
UNKNOWN = 90
