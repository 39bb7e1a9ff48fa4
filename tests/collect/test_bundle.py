"""The one source text that runs in the patient."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from keras_doctor.collect import Request
from keras_doctor.collect import bundle as bundling
from keras_doctor.collect.load import loads_snapshot
from keras_doctor.collect.remote import collector_source

PATIENT = Path(bundling.__file__).parent / "patient"
ALLOWED = {"sys", "gc", "os", "stat", "site", "_imp", "_json", "json.encoder", "json", "ast"}


def test_every_file_is_bundled_once() -> None:
    files = {path.stem for path in PATIENT.glob("*.py")} - {"__init__"}
    assert sorted(bundling.FILES) == sorted(files)


def test_no_top_level_name_twice() -> None:
    seen: dict[str, str] = {}
    for name in bundling.FILES:
        for node in ast.parse((PATIENT / f"{name}.py").read_text()).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                names.append(node.name)
            for one in names:
                assert seen.setdefault(one, name) == name, f"{one} in {seen[one]} and {name}"


def _trees() -> list[ast.Module]:
    """The program, and the texts in it that are compiled when they are asked for."""
    tree = ast.parse(collector_source(), feature_version=(3, 6))
    (later,) = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LATER"
    ]
    assert list(later) == list(bundling.LATE)
    return [tree, *(ast.parse(text, feature_version=(3, 6)) for text in later.values())]


def _nodes() -> list[ast.AST]:
    return [node for tree in _trees() for node in ast.walk(tree)]


def test_late_files_are_asked_for_in_functions_only() -> None:
    late = {name for names in bundling.LATE.values() for name in names}
    asked = set()
    for name in bundling.FILES:
        tree = ast.parse((PATIENT / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras_doctor"):
                wanted = (node.module or "").rpartition(".")[2]
                if node not in tree.body:
                    asked.add(wanted)
                elif wanted in late:
                    assert name in late, f"{name} imports {wanted}"
    assert asked == set(bundling.LATE)


def test_only_cheap_standard_modules_are_imported() -> None:
    for node in _nodes():
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= ALLOWED
        elif isinstance(node, ast.ImportFrom):
            assert node.module in ALLOWED


def test_syntax_is_that_of_python_2_and_3() -> None:
    forbidden = (
        ast.JoinedStr,
        ast.AnnAssign,
        ast.Nonlocal,
        ast.NamedExpr,
        ast.YieldFrom,
    )
    for node in _nodes():
        assert not isinstance(node, forbidden), ast.dump(node)
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.FunctionDef):
            assert not node.args.kwonlyargs
            assert node.returns is None


def test_the_text_is_ascii_and_holds_no_docstring() -> None:
    text = collector_source(Request(roots=("kéras",)))
    text.encode("ascii")
    assert '"""' not in text
    assert "keras_doctor.collect" not in text


def test_stripping_keeps_the_code() -> None:
    for name in bundling.FILES:
        text = (PATIENT / f"{name}.py").read_text()
        tree = _Late().visit(ast.parse(text))
        for node in ast.walk(tree):
            body = getattr(node, "body", None)
            if isinstance(body, list):
                node.body = [one for one in body if not _is_dropped(one)]  # type: ignore[attr-defined]
        assert ast.dump(ast.parse(bundling.strip(text))) == ast.dump(tree), name


class _Late(ast.NodeTransformer):
    """Replaces the imports inside functions by what the program does instead."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        class Inner(ast.NodeTransformer):
            def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
                if not (node.module or "").startswith("keras_doctor"):
                    return node
                name = (node.module or "").rpartition(".")[2]
                order = f"if {name!r} in LATER: exec(LATER.pop({name!r}), globals())"
                return ast.parse(order).body[0]

        changed = Inner().generic_visit(node)
        assert isinstance(changed, ast.FunctionDef)
        return changed


def _is_dropped(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").startswith("keras_doctor")
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


@pytest.mark.parametrize("way", ["file", "stdin"])
def test_the_printed_collector_works_by_hand(tmp_path: Path, way: str) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "work").mkdir()
    program = tmp_path / "code" / "collector.py"
    program.write_text(collector_source())
    with program.open() as file:
        done = subprocess.run(
            [sys.executable, str(program) if way == "file" else "-"],
            stdin=file,
            cwd=tmp_path / "work",
            capture_output=True,
            timeout=60,
        )
    snapshot = loads_snapshot(b"a banner\n" + done.stdout)
    assert snapshot.target.python == sys.executable
    assert snapshot.target.folder == str(tmp_path / "work")
    assert snapshot.path[0].path == str(tmp_path / "work")
    assert snapshot.path[0].origin == "script"
    assert str(tmp_path / "code") not in [entry.path for entry in snapshot.path]
