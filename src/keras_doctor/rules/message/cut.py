"""A traceback whose last line was not quoted: where it was going is all that it tells."""

from __future__ import annotations

from keras_doctor.model.outcome import CUT_OFF
from keras_doctor.rules.base import finding, seen, sign
from keras_doctor.rules.message.asked import imported_top, place_of
from keras_doctor.rules.message.stages import stage_of
from keras_doctor.rules.message.world import clash_slug, distribution_for, is_of_the_world
from keras_doctor.rules.remedies import edit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from keras_doctor.model import Finding, Raised
    from keras_doctor.rules.context import Context


def cut_off(context: Context) -> Iterator[Finding]:
    """The pairs of packages on the way of a traceback without its end."""
    for outcome in context.failures:
        for raised in outcome.chain:
            if raised.type == CUT_OFF:
                yield from _on_the_way(raised)


def _on_the_way(raised: Raised) -> Iterator[Finding]:
    from keras_doctor.rules import code_of

    last = raised.frames[-1]
    user = place_of(last.file).top
    used = imported_top(last.text)
    if user is None or not is_of_the_world(user):
        return
    if user == "tf_keras":
        slug = "legacy-keras-switch"
    elif used and used != user and is_of_the_world(used):
        slug = clash_slug(user, used)
    else:
        return
    code, name = code_of(slug), distribution_for(user)
    yield finding(
        code,
        slug,
        name,
        title=f"The import stops in {name}; the line that says why is not in the text",
        why="What it was doing points at this; the last line of the traceback decides.",
        evidence=[seen(last.text or last.function, f"{last.file}:{last.line}")],
        stage=stage_of(code),
        weight="risk",
        fixes=[edit("use-env", name, "Look at the last line of the whole traceback.")],
        signs=[sign(CUT_OFF)],
    )
