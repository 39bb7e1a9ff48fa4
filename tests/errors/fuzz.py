"""A minute of random texts for `explain`: no crash, no rule that fails, no long time.

    python tests/errors/fuzz.py SECONDS [SEED]

Texts are cut, mixed and damaged from those of public threads, which lie beside the tests.
"""

from __future__ import annotations

import io
import json
import random
import sys
import time
from pathlib import Path

from keras_doctor import api
from keras_doctor.errors.facts import facts_of_file
from keras_doctor.errors.reading import read_text

THREADS = Path(__file__).resolve().parent.parent / "data" / "threads"
NOISE = [
    "\x1b[31m",
    "\x00",
    "\r",
    "'" * 50,
    "(" * 200,
    "\u202e",
    "<script>",
    "\ud800",
    "E   ",
    "> ",
]
LIMIT = 5.0
"""Seconds for one text, far above what one takes."""


def texts() -> list[str]:
    """The texts to start from."""
    return [
        json.loads(line)["text"]
        for path in sorted(THREADS.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]


def damaged(source: random.Random, seeds: list[str]) -> str:
    """A text of pieces of several, cut and mixed."""
    lines = [
        line for text in source.sample(seeds, source.randint(1, 4)) for line in text.split("\n")
    ]
    if source.random() < 0.5:
        source.shuffle(lines)
    for _ in range(source.randint(0, 5)):
        place = source.randrange(len(lines))
        line = lines[place]
        cut = source.randrange(len(line) + 1)
        lines[place] = line[:cut] + source.choice(NOISE) + line[cut:] * source.randint(0, 3)
    return "\n".join(lines)


def main() -> int:
    """Try texts until the time is up; return the exit code."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    source, seeds = random.Random(seed), texts()  # noqa: S311 -- it makes tests, no secrets
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        text = damaged(source, seeds)
        started = time.process_time()
        read = read_text(io.BytesIO(text.encode("utf-8", "surrogatepass")))
        facts_of_file(read, frozenset())
        results = api.explain(read).diagnosis.results
        crashed = [result.reason for result in results if result.state == "crashed"]
        if crashed or time.process_time() - started > LIMIT:
            sys.stderr.write(f"{crashed} after {count} texts: {text!r}\n")
            return 1
        count += 1
    sys.stdout.write(f"{count} texts\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
