"""No registry's host stands in this project: pip's own configuration says which one is asked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "tools", "tests", "benchmarks")
ASK = """
import json
from pip._internal.models.index import PyPI, TestPyPI
found = [value for index in (PyPI, TestPyPI) for value in (index.netloc, index.file_storage_domain)]
print(json.dumps(found))
"""


def test_no_registry_host() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ASK], capture_output=True, text=True, check=True
    )
    hosts = [host.encode() for host in json.loads(done.stdout)]
    assert len(hosts) == 4
    found = [
        f"{path.relative_to(ROOT)} names {host.decode()}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
        for host in hosts
        if host in path.read_bytes()
    ]
    assert found == []
