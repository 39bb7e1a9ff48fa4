"""The first attempt at a repair, begun while the world as it is is still tried.

Most causes are known from the files alone. Their repair is made in an overlay, which nobody else
sees, beside the run that shows whether anything is wrong at all; what that run says decides.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from keras_doctor.fixes.ground import NoPlaceError, make_overlay
from keras_doctor.fixes.tree import listing

if TYPE_CHECKING:
    from collections.abc import Callable

    from keras_doctor.fixes.ground import Ground
    from keras_doctor.fixes.rehearse.place import Overlay, Place
    from keras_doctor.fixes.search import Search
    from keras_doctor.fixes.tree import Seen
    from keras_doctor.fixes.trial import Look
    from keras_doctor.model import Examination


class Ahead:
    """An attempt that is under way.

    Args:
        look: The look at the world as it is.
        ground: The folders of the repair.
        search_in: Begins a search in a place, from an examination.

    Attributes:
        place: Where it is tried; None when nothing was begun. Closed by :meth:`close`.
        search: What it belongs to.
        before: The environment's folders as they were.
    """

    def __init__(
        self, look: Look, ground: Ground, search_in: Callable[[Place, Examination], Search]
    ) -> None:
        self.place: Overlay | None = None
        self.search: Search | None = None
        self.before: Seen = {}
        self._look = look
        self._ground = ground
        self._search_in = search_in
        self._mistake: Exception | None = None
        self._tried = threading.Event()
        self._closed = threading.Event()
        # It has to live as long as the place: the kernel ends a process with the thread that
        # started it.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._try()
        except (OSError, ValueError, NoPlaceError):
            pass  # a step cannot be done: its turn comes, and it is told then
        except Exception as error:  # noqa: BLE001 (raised again by who waits)
            self._mistake = error
        self._tried.set()
        self._closed.wait()

    def _try(self) -> None:
        read = self._look.read_closer()
        if not read.diagnosis.causes or self._closed.is_set():
            return
        self.before = listing(self._ground.roots)
        place = make_overlay(self._ground)
        self.search = self._search_in(place, read)
        self.place = place
        if not self._closed.is_set():
            self.search.try_ahead()

    def join(self, first: Examination, progress: Callable[[str], None]) -> bool:
        """Wait for it, and hand the search what was seen of the world as it is.

        Returns:
            Whether there is a search to go on with.
        """
        progress("Trying the repaired copy")
        self._tried.wait()
        if self._mistake is not None:
            raise self._mistake
        if self.search is None:
            return False
        self.search.resume(first, progress)
        return True

    def close(self) -> None:
        """End it, at once if it is still under way."""
        self._closed.set()
        if self.place is not None and not self._tried.is_set():
            self.place.interrupt()
        self._tried.wait()
        if self.place is not None:
            self.place.close()
        self._thread.join()
