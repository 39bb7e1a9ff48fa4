"""What the cells of a Jupyter notebook printed and raised, as one text."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def notebook_text(text: str) -> str | None:
    """The outputs of a notebook (nbformat 3 and 4), in order; None when it is no notebook.

    Installers that a cell starts (``!pip install``) print as a stream; an exception is kept with
    its frames.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    cells = data.get("cells")
    if cells is None:
        sheets = data.get("worksheets")
        first = sheets[0] if isinstance(sheets, list) and sheets else None
        cells = first.get("cells") if isinstance(first, dict) else None
    if not isinstance(cells, list):
        return None
    return "\n".join([*_about(data), *(line for cell in cells for line in _outputs(cell))])


def _about(data: dict[str, Any]) -> Iterator[str]:
    """The Python that ran it, when the notebook says so."""
    metadata = data.get("metadata")
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = language.get("version") if isinstance(language, dict) else None
    if isinstance(version, str):
        yield f"Python {version}"


def _outputs(cell: Any) -> Iterator[str]:
    outputs = cell.get("outputs") if isinstance(cell, dict) else None
    for output in outputs if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        if output.get("output_type") in ("error", "pyerr"):
            trace = output.get("traceback")
            if isinstance(trace, list):
                yield from (line for line in trace if isinstance(line, str))
            else:
                yield f"{output.get('ename')}: {output.get('evalue')}"
        else:
            yield _joined(output.get("text"))
            data = output.get("data")
            if isinstance(data, dict):
                yield _joined(data.get("text/plain"))


def _joined(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
