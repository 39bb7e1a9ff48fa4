"""What programs use of the Keras world."""

from keras_doctor.records import NamedTuple


class Use(NamedTuple):
    """One path that one place of a program needs."""

    path: str
    """Dotted, like ``keras.utils.np_utils``."""
    file: str
    """As findings name it; a cell of a notebook included."""
    line: int
    text: str
    """The statement, or the expression."""
    guarded: bool
    """Inside ``try``: the program may do without it."""

    @property
    def is_import(self) -> bool:
        """Whether it is an import statement, and no attribute of what was imported."""
        return self.text.startswith(("import ", "from "))
