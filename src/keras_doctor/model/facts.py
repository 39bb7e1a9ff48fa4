"""What is known about a target: frozen facts, collected without importing its packages.

Every class is a NamedTuple, because this module is on the cold path of every command, and
defining one costs little (see :mod:`keras_doctor.records`). Build them with keywords only; convert
them only through :mod:`keras_doctor.codec`. The annotations are evaluated, here and in the
other two files: the codec reads them.

Unknown is ``None`` and "none found" is an empty tuple: a rule must be able to tell the two
apart. Paths are absolute and as the patient's Python writes them.
"""

from keras_doctor.model.verified import Verified
from keras_doctor.records import NamedTuple


class Interpreter(NamedTuple):
    """The Python that answered."""

    executable: str
    version: str
    """Like ``3.11.7``; pre-release suffixes kept."""
    implementation: str
    """``cpython``, ``pypy`` ... as ``sys.implementation.name`` says."""
    soabi: str | None
    """The ABI part of extension file names, like ``cpython-311-x86_64-linux-gnu``."""
    extension_suffixes: tuple[str, ...]
    platform: str
    """``sys.platform``: linux, darwin, win32."""
    machine: str
    """Processor architecture that this interpreter was built for or runs as: x86_64, arm64."""
    bits: int
    free_threaded: bool
    prefix: str
    base_prefix: str
    stdlib: str
    """The folder of the standard library."""
    system_site_packages: bool | None
    """Of a virtual environment: whether it also sees its base's packages. None outside one."""
    externally_managed: bool = False
    """Whether installers refuse to change it (PEP 668); a virtual environment of it is free."""


class Start(NamedTuple):
    """How the collector could be started."""

    mode: str
    """``normal``: as the user starts Python there. ``isolated``: only with ``-I``.
    ``bare``: only with ``-I -S``. ``outside``: the interpreter does not start at all and the
    file system was read from outside. ``given``: facts that a person or a text gave."""
    failure: str | None
    """What the normal start printed (its last lines), when it failed."""
    exit_code: int | None
    """Of the failed normal start; negative for a signal."""


class PathEntry(NamedTuple):
    """One entry of ``sys.path``, in order, as the user's program would see it."""

    path: str
    origin: str
    """``script`` | ``pythonpath`` | ``stdlib`` | ``site-packages`` | ``user-site`` | ``pth`` |
    ``editable`` | ``other``."""
    where: str | None
    """What put it there, when that can be told: ``PYTHONPATH``, or a .pth file and line
    (``/…/x.pth:3``)."""
    kind: str
    """``folder`` | ``file`` (zip, egg) | ``missing`` | ``unreadable``."""
    python: str | None
    """The Python that the path itself names, like ``3.6`` for ``…/lib/python3.6/…``."""


class StartupLine(NamedTuple):
    """A line that Python acts on while it starts: in a .pth file, or sitecustomize itself."""

    path: str
    line: int
    text: str
    kind: str
    """``code`` (an import line), ``path`` (adds an entry), ``missing`` (names a path that is
    not there), ``customize`` (sitecustomize or usercustomize, line 0)."""


class Distribution(NamedTuple):
    """One installed distribution, as its metadata says."""

    name: str
    """As written in the metadata; compare through :func:`keras_doctor.names.normalize`."""
    version: str
    location: str
    """The sys.path entry that it was found in."""
    metadata: str
    """The .dist-info or .egg-info folder or file."""
    installer: str | None
    editable: bool
    origin_url: str | None
    """From direct_url.json, credentials masked."""
    requires: tuple[str, ...]
    """Requires-Dist lines as written."""
    requires_python: str | None
    import_packages: tuple[str, ...]
    """Top-level import names: from top_level.txt, else from RECORD, else ()."""
    tags: tuple[str, ...]
    """Tag lines of WHEEL."""
    record: str
    """``present`` | ``missing`` | ``unreadable`` | ``empty``; ``unread`` after a first look at what
    is off the way: then name and version are those of the folder's name, and requirements,
    installer, origin and tags are unknown. Conda and Debian packages often have none; egg-info
    has installed-files.txt at best."""


class FileAnomaly(NamedTuple):
    """A recorded file that is not what the RECORD says."""

    path: str
    state: str
    """``missing`` | ``size`` (differs) | ``zeros`` (has content of zero bytes) | ``unreadable``
    (its mode forbids reading) | ``folder-unreadable`` | ``hash`` (its SHA-256 differs; only when
    the files were verified, and then also for files that no import loads)."""
    recorded_size: int | None
    size: int | None


class FileCheck(NamedTuple):
    """The files of one distribution on the way of the import, against its RECORD.

    Only files that the import can load are looked at (.py, .so*, .pyd, .dll, .dylib).
    """

    distribution: str
    metadata: str
    checked: int
    """How many recorded files were looked at."""
    anomalies: tuple[FileAnomaly, ...]
    """At most 200 of them."""
    anomalies_total: int
    unrecorded: tuple[str, ...]
    """Loadable files inside its import packages that no RECORD knows, at most 200."""
    unrecorded_total: int
    code_version: str | None
    """What the code itself says: ``__version__`` or ``version`` as a literal in its
    version.py, _version.py or __init__.py."""
    code_version_where: str | None
    contents_checked: bool
    """Whether the first bytes of each file were looked at too."""
    dangling: tuple[str, ...] = ()
    """Symbolic links that lead nowhere, in place of files that are missing or of their folders."""


class Leftover(NamedTuple):
    """A folder or file that pip renamed with a ``~`` while it replaced a distribution."""

    path: str
    location: str
    name: str | None
    """The distribution that it belonged to, when its metadata is still inside, else a guess
    of None."""
    version: str | None


class ModuleCopy(NamedTuple):
    """One thing on sys.path that answers to an import name."""

    kind: str
    """``package`` (folder with __init__), ``module`` (.py), ``extension`` (.so, .pyd),
    ``bytecode`` (.pyc), ``namespace`` (folder without __init__)."""
    path: str
    """The __init__ file, the module file, or the folder of a namespace."""
    entry: str
    """The sys.path entry that holds it."""
    readable: bool
    size: int | None


class Module(NamedTuple):
    """What ``import NAME`` would load, by the path rules, without importing it."""

    name: str
    kind: str
    """As in :class:`ModuleCopy`, or ``builtin``, ``frozen``, ``missing``."""
    path: str | None
    entry: str | None
    copies: tuple[ModuleCopy, ...]
    """Everything on the path that answers to the name, in order; the first regular one wins,
    namespaces only if there is no regular one."""


class LocalModule(NamedTuple):
    """An importable file or folder in an entry that precedes the standard library."""

    name: str
    kind: str
    path: str
    entry: str
    origin: str
    """The origin of the entry: ``script`` or ``pythonpath`` (or ``pth`` when inserted first)."""


class ConfigFile(NamedTuple):
    """A configuration file that is read, or that somebody may think is read."""

    kind: str
    """``keras.json`` | ``.theanorc``."""
    source: str
    """``home`` (~/.keras), ``KERAS_HOME``, ``tmp`` (/tmp/.keras), ``project`` (in the working
    or script folder: nobody reads it), ``THEANORC``."""
    path: str
    state: str
    """``read`` | ``absent`` | ``unreadable`` | ``folder`` | ``too-large``."""
    text: str | None
    """At most 64 KiB, undecodable bytes as surrogates, a byte order mark kept."""
    mode: int | None
    folder_writable: bool | None
    """Whether this user could create or replace the file."""
    base_writable: bool | None = None
    """Of a file in the home folder: whether the home folder itself may be written. Keras up to
    2.3 and from 3.0 on looks at that, and not at the file, to choose between it and /tmp."""


class Variable(NamedTuple):
    """An environment variable from the list of those that matter."""

    name: str
    value: str
    set_by: str | None
    """Who sets it, when that can be told: a conda activation file, a kernel spec, the command
    line."""


class PathCommand(NamedTuple):
    """A program found through PATH."""

    name: str
    path: str
    interpreter: str | None
    """For a Python script: the interpreter of its first line."""
    same_environment: bool | None
    """Whether that interpreter belongs to the target's environment. None: not a script."""
    python: str | None
    """The version that its folder names, like ``3.12``."""
    holds: tuple[str, ...]
    """Keras and backends in that interpreter's site-packages, like ``keras 3.8.0``."""


class CondaPackage(NamedTuple):
    """A record of conda-meta."""

    name: str
    version: str
    build: str
    channel: str | None


class Conda(NamedTuple):
    """A conda environment."""

    prefix: str
    packages: tuple[CondaPackage, ...]
    variables: tuple[Variable, ...]
    """What activate.d scripts and ``conda-meta/state`` set among the listed variables."""


class Machine(NamedTuple):
    """The computer, as far as it decides what loads."""

    system: str
    release: str
    libc: str | None
    """Like ``glibc 2.36``."""
    cpu_flags: tuple[str, ...]
    memory_mb: int | None
    cpus: int | None
    uid: int | None


class NativeProblem(NamedTuple):
    """One reason why extension modules of a distribution would not load."""

    kind: str
    """``missing`` (a library that the loader does not find), ``version`` (the library that it
    finds lacks symbol versions), ``machine`` (made for another processor), ``damaged`` (no
    object that can be read)."""
    distribution: str
    metadata: str
    library: str | None
    """As the object names it: ``libstdc++.so.6``. None for ``machine`` and ``damaged``."""
    needed_by: str
    """The object that names it, or that is at fault itself."""
    versions: tuple[str, ...]
    """The symbol versions that are lacking; of ``machine`` what the object was made for."""
    found: str | None
    """The library that the loader takes."""
    by: str | None
    """Why it takes that: ``LD_PRELOAD`` | ``LD_LIBRARY_PATH`` | ``rpath`` | ``runpath`` |
    ``cache`` | ``default`` | ``loaded`` (with the interpreter) | ``path``."""
    newest: str | None
    """The newest version of the same family that it has."""
    otherwise: str | None
    """The library without these variables and folders, when that one would do."""
    recorded: bool
    """The missing library belongs to a distribution that has lost it."""
    modules: int
    """How many extension modules of the distribution do not load for this reason."""
    modules_total: int
    examples: tuple[str, ...]
    """At most five of them."""


class LibraryTaken(NamedTuple):
    """A library that comes from where a variable says, and hides another one."""

    library: str
    path: str
    by: str
    """``LD_LIBRARY_PATH`` | ``LD_PRELOAD``."""
    hides: str
    """The one that would be taken without the variable."""


class ModuleNames(NamedTuple):
    """For which Python the extension modules of a distribution are named."""

    distribution: str
    metadata: str
    own: int
    """How many carry a tag that this Python looks for."""
    foreign: int
    """How many carry one that it never looks for, like ``cpython-310`` in Python 3.11."""
    example: str | None


class Native(NamedTuple):
    """Whether the extension modules on the way of the import would load, by reading them."""

    complete: bool
    """Whether all were read; else only those that no wheel tag vouches for."""
    modules: int
    """How many extension modules were followed."""
    objects: int
    """How many files were read for that."""
    machine: str | None
    """What the interpreter's own file was made for: ``x86_64, 64 bit``."""
    libraries: tuple[LibraryTaken, ...]
    problems: tuple[NativeProblem, ...]
    named: tuple[ModuleNames, ...]
    """Of distributions with at least one foreign name."""
    libcuda: str | None
    """Where the loader finds the NVIDIA driver's library; None when nowhere, or not looked."""
    driver: str | None
    """What the NVIDIA driver says about itself in /proc."""


class Theano(NamedTuple):
    """Where Theano compiles, and with what; only when it may be the backend."""

    compiledir: str
    """Its base_compiledir."""
    compiledir_where: str | None
    """``THEANO_FLAGS``, or file and line of a .theanorc; None for the default."""
    compiledir_writable: bool
    """Whether files can be made in it, or the folder itself where it is missing."""
    cxx: str | None
    """The compiler that a setting names; "" when the setting is empty, None when there is none."""
    cxx_where: str | None
    compiler: str | None
    """The compiler's path: of the one that is set, else of the g++ on PATH."""
    compiler_off_path: str | None = None
    """Where a usual folder holds that compiler though PATH does not lead there."""


class ScriptImport(NamedTuple):
    """An import statement of the user's program."""

    path: str
    line: int
    text: str
    """The statement in one line, so that it can be run alone."""
    module: str
    names: tuple[str, ...]
    """The names of ``from module import a, b``; () for ``import module``."""
    guarded: bool
    """Inside try/except, a function, or a condition: it may not run at the start."""
    local: bool = False
    """Names a module of the user's own beside the program: running it would run their code.
    Its imports follow in the list, at their place."""


class ScriptSetting(NamedTuple):
    """A line of the user's program that chooses a backend or a legacy switch."""

    path: str
    line: int
    text: str
    variable: str
    """``KERAS_BACKEND``, ``TF_USE_LEGACY_KERAS``, ``THEANO_FLAGS`` ..."""
    value: str | None
    """None when it is not a literal."""
    before_import: bool
    """Whether it runs before the first import of the Keras world."""
    default_only: bool
    """``os.environ.setdefault``: takes effect only when the variable is not set."""


class Script(NamedTuple):
    """The user's program, read and never run."""

    path: str
    imports: tuple[ScriptImport, ...]
    settings: tuple[ScriptSetting, ...]
    problem: str | None
    """Why it could not be read: missing, not Python 3, a syntax error with its line."""


class Target(NamedTuple):
    """The Python that the user means, and how they would run it."""

    python: str | None
    """The interpreter's path; None when only a snapshot is known."""
    chosen: str
    """Why this one: ``the active virtual environment (VIRTUAL_ENV)``."""
    folder: str
    """The working folder."""
    start: str
    """``script`` | ``module`` | ``code`` | ``console-script`` | ``notebook`` | ``interactive``:
    decides what sys.path[0] is."""
    path0: str | None
    """sys.path[0] for that start: the script's folder, the working folder, the bin folder."""
    script: str | None
    command: tuple[str, ...]
    """The user's command as typed, () when none was given."""
    environment: str | None
    """The environment's folder, when it is a virtual or conda environment."""
    manager: str | None
    """``venv`` | ``conda`` | ``pyenv`` | ``system`` | ``uv`` ... whose environment it is."""


class Snapshot(NamedTuple):
    """Every fact about a target, collected without importing its packages."""

    schema_version: int
    tool_version: str
    target: Target
    start: Start
    interpreter: Interpreter | None
    path: tuple[PathEntry, ...]
    startup: tuple[StartupLine, ...]
    distributions: tuple[Distribution, ...]
    leftovers: tuple[Leftover, ...]
    files: tuple[FileCheck, ...]
    modules: tuple[Module, ...]
    local_modules: tuple[LocalModule, ...]
    configs: tuple[ConfigFile, ...]
    variables: tuple[Variable, ...]
    commands: tuple[PathCommand, ...]
    conda: Conda | None
    machine: Machine | None
    script: Script | None
    problems: tuple[str, ...]
    """What could not be read, one sentence each: never silently missing."""
    verified: Verified | None = None
    """What hashing the files showed; None when nobody asked for it."""
    native: Native | None = None
    """None in snapshots of older collectors and where the interpreter did not start."""
    theano: Theano | None = None
