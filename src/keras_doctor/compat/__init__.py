"""Which releases of packages go together: what is declared, what was measured, and the newest set.

Pure but for the knowledge files that it reads; nothing is asked of an index and nothing is run.
What metadata declares and what runs showed are kept apart everywhere: they contradict each other.
"""

from keras_doctor.compat.asked import CompatError

__all__ = ["CompatError"]
