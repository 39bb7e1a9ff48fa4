"""The exception hook: a diagnosis after the traceback of an import error."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


def install() -> None:
    """Put the hook before the one that is there; once."""
    if getattr(sys.excepthook, "of_keras_doctor", False):
        return
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        before(kind, error, trace)
        if concerns_keras(error):
            _tell(error)

    hook.of_keras_doctor = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def concerns_keras(error: BaseException) -> bool:
    """Whether an exception is an import error, or came from an import, of the Keras world."""
    from keras_doctor.rules.message.world import is_of_the_world

    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        name = getattr(link, "name", None)
        if isinstance(link, ImportError) and is_of_the_world((name or "").partition(".")[0]):
            return True
        trace, importing = link.__traceback__, False
        while trace is not None:
            code = trace.tb_frame.f_code
            importing = importing or code.co_filename.startswith("<frozen importlib")
            module = trace.tb_frame.f_globals.get("__name__") or ""
            if importing and is_of_the_world(str(module).partition(".")[0]):
                return True
            trace = trace.tb_next
        link = link.__cause__ or link.__context__
    return False


def _tell(error: BaseException) -> None:
    try:
        from keras_doctor import api
        from keras_doctor.report.explained import render_explained

        examination = api.explain(error, python=sys.executable)
        sys.stderr.write("\n" + render_explained(examination))
    except Exception as problem:  # noqa: BLE001 -- the program's own end counts, not ours
        sys.stderr.write(f"keras-doctor: no diagnosis ({type(problem).__name__}: {problem})\n")
