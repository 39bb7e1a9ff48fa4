"""Rules: pure functions from facts to findings, one file a rule or closely kin rules.

The docstring of a rule is its documentation page. ``RULES`` is the only table from code to rule.
"""

from __future__ import annotations

from importlib import import_module

from keras_doctor.model import RuleResult
from keras_doctor.records import NamedTuple
from keras_doctor.rules.base import NotApplicable, RuledOut, Skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from keras_doctor.model import Finding
    from keras_doctor.rules.context import Context


class Rule(NamedTuple):
    """One rule of the table."""

    code: str
    name: str
    """The slug of the cause that it finds."""
    place: str
    """``module:function`` below this package."""
    gate: str = ""
    """What spares its import, which costs more than its answer: ``failure``, it speaks only after
    one; ``native``, only after one or of shared objects that are not in order; ``program``, only
    after one or of a program that was read; "" nothing."""

    def function(self) -> Callable[[Context], Iterator[Finding]]:
        """The rule itself, imported when it is needed."""
        module, _, name = self.place.partition(":")
        found: Callable[[Context], Iterator[Finding]] = getattr(
            import_module(f"{__name__}.{module}"), name
        )
        return found

    @property
    def page(self) -> str:
        """Its documentation: the docstring."""
        from inspect import cleandoc

        return cleandoc(self.function().__doc__ or "")

    @property
    def summary(self) -> str:
        """The first sentence of its documentation."""
        return self.page.partition("\n")[0]


RULES: tuple[Rule, ...] = (
    Rule("KD101", "backend-unknown", "selection.backend_unknown:backend_unknown"),
    Rule("KD102", "backend-not-installed", "selection.backend_not_installed:backend_not_installed"),
    Rule("KD103", "backend-source-conflict", "selection.source_conflict:backend_source_conflict"),
    Rule("KD104", "backend-setting-ignored", "selection.setting_ignored:backend_setting_ignored"),
    Rule("KD105", "keras-config-invalid", "selection.config_invalid:keras_config_invalid"),
    Rule("KD106", "legacy-keras-switch", "selection.legacy_switch:legacy_keras_switch"),
    Rule("KD107", "keras-config-invalid", "selection.theano_settings:theano_setting", "failure"),
    Rule("KD201", "shadowed-module", "resolution.shadowed_module:shadowed_module"),
    Rule("KD202", "wrong-interpreter", "resolution.wrong_interpreter:wrong_interpreter"),
    Rule("KD203", "multiple-installations", "resolution.foreign_entries:multiple_installations"),
    Rule("KD204", "same-import-name", "resolution.same_import_name:same_import_name"),
    Rule("KD205", "foreign-path", "resolution.foreign_entries:foreign_path"),
    Rule("KD206", "not-installed", "resolution.not_installed:not_installed"),
    Rule("KD207", "namespace-remnant", "resolution.namespace_remnant:namespace_remnant"),
    Rule("KD301", "missing-files", "integrity.damaged_files:missing_files"),
    Rule("KD302", "altered-files", "integrity.damaged_files:altered_files"),
    Rule("KD303", "duplicate-metadata", "integrity.versions_mixed:duplicate_metadata"),
    Rule("KD304", "mixed-version-files", "integrity.versions_mixed:mixed_version_files"),
    Rule("KD305", "unreadable-files", "integrity.damaged_files:unreadable_files"),
    Rule("KD306", "interrupted-install", "integrity.interrupted_install:interrupted_install"),
    Rule("KD401", "requirement-unmet", "compatibility.together:requirement_unmet"),
    Rule(
        "KD402",
        "undeclared-incompatibility",
        "compatibility.together:undeclared_incompatibility",
    ),
    Rule("KD403", "keras-backend-mismatch", "compatibility.together:keras_backend_mismatch"),
    Rule("KD404", "python-unsupported", "compatibility.python_unsupported:python_unsupported"),
    Rule("KD405", "abi-mismatch", "compatibility.together:abi_mismatch"),
    Rule("KD406", "abi-mismatch", "compatibility.abi_tags:extension_abi"),
    Rule(
        "KD407",
        "tensorflow-variant-or-plugin-mismatch",
        "compatibility.together:plugin_mismatch",
    ),
    Rule(
        "KD408",
        "undeclared-incompatibility",
        "compatibility.variables:misleading_variable",
        "failure",
    ),
    Rule(
        "KD501", "missing-shared-library", "native.missing_library:missing_shared_library", "native"
    ),
    Rule("KD502", "toolchain-too-old", "native.symbol_versions:toolchain_too_old", "native"),
    Rule("KD503", "cpu-instruction-missing", "native.processor:cpu_instruction_missing"),
    Rule("KD504", "wrong-architecture", "native.architecture:wrong_architecture", "native"),
    Rule("KD505", "cuda-mismatch", "native.cuda:cuda_mismatch", "native"),
    Rule("KD506", "compiler-missing", "native.compiler:compiler_missing"),
    Rule("KD507", "crash-on-import", "native.crash:crash_on_import", "failure"),
    Rule(
        "KD508",
        "library-path-contaminated",
        "native.symbol_versions:library_path_contaminated",
        "native",
    ),
    Rule("KD509", "windows-dll", "native.windows:windows_dll"),
    Rule("KD601", "api-removed-or-moved", "code.api_moved:api_removed_or_moved", "program"),
    Rule("KD602", "api-never-existed", "code.api_moved:api_never_existed", "failure"),
    Rule("KD603", "mixed-keras-and-tf-keras", "code.mixed:mixed_keras", "program"),
    Rule("KD604", "circular-import", "code.circular:circular_import", "failure"),
    Rule("KD605", "api-removed-or-moved", "code.private_copy:private_copy", "program"),
    Rule("KD606", "api-removed-or-moved", "code.argument:renamed_argument", "failure"),
    Rule(
        "KD701",
        "no-matching-distribution",
        "install.no_matching:no_matching_distribution",
        "failure",
    ),
    Rule("KD702", "build-failure", "install.build_failure:build_failure", "failure"),
    Rule("KD703", "network-or-permission", "install.permission:network_or_permission"),
    Rule("KD901", "upstream-bug", "other.upstream_bug:upstream_bug", "failure"),
    # Asked last and by the diagnosis, which alone knows that nothing else explains a failure.
    Rule("KD902", "unknown", "other.unknown:unknown"),
    # By words alone: they find causes of every family.
    Rule("KD903", "known-message", "message.known_message:known_message", "failure"),
    Rule("KD904", "quoted-failure", "message.quoted_failure:quoted_failure", "failure"),
)


def rule_of(code: str) -> Rule | None:
    """The rule of a code (any case) or of a slug, or None."""
    wanted = code.strip()
    for rule in RULES:
        if wanted.upper() == rule.code or wanted.lower() == rule.name:
            return rule
    return None


def code_of(cause: str) -> str:
    """The code of the rule that is named like a cause; of `unknown` when there is none."""
    return next((rule.code for rule in RULES if rule.name == cause), "KD902")


def run_rules(context: Context) -> tuple[RuleResult, ...]:
    """Run every rule but `unknown`; a rule that crashes is reported as such."""
    return tuple(_run(rule, context) for rule in RULES if rule.name != "unknown")


def _spared(rule: Rule, context: Context) -> RuleResult | None:
    """The answer of a rule that need not be asked; None when it must be."""
    if not rule.gate or context.failures:
        return None
    state, reason = "not-applicable", "nothing was run that failed"
    if rule.gate == "program":
        if context.snapshot.script is not None:
            return None
        reason = "no program is known"
    if rule.gate == "native":
        native = context.snapshot.native
        if native is None or native.problems or native.libraries or native.driver:
            return None
        state, reason = "ok", "the shared objects are in order, as far as they were read"
    return RuleResult(code=rule.code, name=rule.name, state=state, reason=reason, findings=())


def _run(rule: Rule, context: Context) -> RuleResult:
    spared = _spared(rule, context)
    if spared is not None:
        return spared
    findings: tuple[Finding, ...] = ()
    reason = None
    try:
        findings = tuple(rule.function()(context))
        state = "finding" if findings else "ok"
    except RuledOut as answer:
        state, reason = "ok", str(answer)
    except NotApplicable as answer:
        state, reason = "not-applicable", str(answer)
    except Skip as answer:
        state, reason = "skipped", str(answer)
    except Exception as error:  # noqa: BLE001 -- one rule's bug must not take the report down
        state, reason = "crashed", f"{type(error).__name__}: {error}"
    return RuleResult(code=rule.code, name=rule.name, state=state, reason=reason, findings=findings)
