"""An exception, with all that led to it, as plain data. Nothing of it is trusted."""

MAX_CHAIN = 50
MAX_FRAMES = 200
MAX_WALK = 10000
MAX_SOURCE = 4000000


def safe_text(value):
    """Returns str(value), whatever its __str__ does."""
    try:
        return str(value)
    except BaseException:
        try:
            return "<exception str() failed>"
        except BaseException:
            return ""


def chain_of(error):
    """Yields the exceptions that led to one, and how each led to the next.

    By the rules that Python prints them with, and one difference: an ImportError that
    ``raise ... from None`` keeps from being printed is kept, as it is what matters here.

    Args:
        error: the exception that arrived.

    Returns:
        A list of (exception, link), the one raised first at the start; link is None for the
        last. Of a longer chain the first and the last `MAX_CHAIN` // 2.
    """
    found = [(error, None)]
    seen = {id(error)}
    while len(found) < MAX_WALK:
        error = found[-1][0]
        before, link = error.__cause__, "cause"
        if before is None:
            before, link = error.__context__, "context"
            if error.__suppress_context__ and not isinstance(before, ImportError):
                break
        if before is None or id(before) in seen:
            break
        seen.add(id(before))
        found.append((before, link))
    found.reverse()
    if len(found) > MAX_CHAIN:
        found = found[: MAX_CHAIN // 2] + found[-MAX_CHAIN // 2 :]
    return found


class Describer:
    """Turns exceptions into dicts, without the frames of our own program."""

    def __init__(self, program):
        self.program = program
        self.sources = {}

    def describe(self, error):
        """Returns the chain as a list of dicts, the exception raised first at the start."""
        return [self._one(each, link) for each, link in chain_of(error)]

    def _one(self, error, link):
        frames = self._frames(error)
        message = safe_text(error)
        if isinstance(error, SyntaxError):
            message = safe_text(error.msg)
            place = self._syntax_place(error)
            if place:
                frames.append(place)
        message += self._notes(error) + self._members(error, 0)
        name = path = None
        if isinstance(error, ImportError):
            name = error.name if isinstance(error.name, str) else None
            path = error.path if isinstance(error.path, str) else None
        return {
            "type": self._type(error),
            "message": message,
            "frames": frames,
            "link": link,
            "name": name,
            "path": path,
        }

    def _type(self, error):
        try:
            kind = type(error)
            name, module = kind.__qualname__, kind.__module__
            if module in ("builtins", "__main__"):
                return safe_text(name)
            return safe_text(module) + "." + safe_text(name)
        except BaseException:
            return "Exception"

    def _frames(self, error):
        entries = []
        trace = error.__traceback__
        count = 0
        while trace is not None and count < MAX_WALK:
            count += 1
            code = trace.tb_frame.f_code
            file = code.co_filename
            if file != self.program and not file.startswith("<frozen importlib"):
                entries.append((trace, code))
            trace = trace.tb_next
        if len(entries) > MAX_FRAMES:
            entries = entries[: MAX_FRAMES // 4] + entries[-3 * MAX_FRAMES // 4 :]
        return [
            [code.co_filename, each.tb_lineno or 0, code.co_name, self._line(each, code)]
            for each, code in entries
        ]

    def _line(self, trace, code):
        return self.source_line(code.co_filename, trace.tb_lineno or 0)

    def source_line(self, file, number):
        """Returns a line of a source file, or None."""
        if file not in self.sources:
            lines = []
            try:
                with open(file, "rb") as stream:
                    lines = stream.read(MAX_SOURCE).split(b"\n")
            except Exception:
                pass
            self.sources[file] = lines
        lines = self.sources[file]
        if 0 < number <= len(lines):
            return lines[number - 1].decode("utf-8", "replace").strip()[:500] or None
        return None

    def _syntax_place(self, error):
        if not isinstance(error.filename, str) or not isinstance(error.lineno, int):
            return None
        text = error.text if isinstance(error.text, str) else None
        return [error.filename, error.lineno, "<module>", text and text.strip()[:500]]

    def _notes(self, error):
        try:
            notes = list(getattr(error, "__notes__", None) or ())[:20]
        except BaseException:
            return ""
        return "".join(["\n" + safe_text(note) for note in notes])

    def _members(self, error, depth):
        """The members of an exception group, one indented line each."""
        try:
            members = getattr(error, "exceptions", None)
            # Only the real thing: any exception may have an attribute of that name.
            kinds = [kind.__name__ for kind in type(error).__mro__]
            if "BaseExceptionGroup" not in kinds or not isinstance(members, tuple) or depth > 3:
                return ""
            text = ""
            for member in members[:20]:
                text += "\n" + "  " * (depth + 1) + self._type(member) + ": " + safe_text(member)
                text += self._members(member, depth + 1)
            return text
        except BaseException:
            return ""
