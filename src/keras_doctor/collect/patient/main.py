"""Gather everything and write the document."""

import gc
import os
import sys

from keras_doctor.collect.patient.commands import find_commands
from keras_doctor.collect.patient.conda import read_conda
from keras_doctor.collect.patient.distributions import read_particulars, scan_distributions
from keras_doctor.collect.patient.files import PROBLEMS, forget_names, problem
from keras_doctor.collect.patient.integrity import check_files
from keras_doctor.collect.patient.interpreter import describe_world
from keras_doctor.collect.patient.machine import describe_machine
from keras_doctor.collect.patient.metadata import normal
from keras_doctor.collect.patient.modules import (
    editable_mapping,
    find_local_modules,
    find_modules,
)
from keras_doctor.collect.patient.outside import describe_outside
from keras_doctor.collect.patient.native import look_at_native
from keras_doctor.collect.patient.output import emit
from keras_doctor.collect.patient.paths import build_path, pythonpath_entries
from keras_doctor.collect.patient.settings import find_configs, find_variables
from keras_doctor.collect.patient.startup import site_folders, user_site
from keras_doctor.collect.patient.way import (
    asked_backends,
    distributions_on_the_way,
    fixed_backends,
    idle_names,
)


def run(request, start):
    """The whole program after ``begin``; it does not return.

    A mistake of ours must not look like a Python that does not start, so it is told.
    """
    gc.disable()  # nothing of it becomes garbage before it ends
    try:
        document = gather(request, start)
    except Exception as error:
        document = {"crashed": _where(error)}
    emit(document, request["marker"])


def _where(error):
    """What was raised, and the functions that it came through."""
    steps = []
    trace = error.__traceback__
    while trace is not None:
        steps.append("%s:%d" % (trace.tb_frame.f_code.co_name, trace.tb_lineno))
        trace = trace.tb_next
    return "%s: %s (%s)" % (type(error).__name__, error, " > ".join(steps))


def gather(request, start):
    """The document: model.Snapshot as a dict; what only the host knows is in the request.

    Args:
        request: What the host asks, see keras_doctor.collect.request.
        start: What ``begin`` recorded.
    """
    forget_names()
    mode = request["mode"]
    stdlib = start["stdlib"]
    request["folder"] = request["folder"] or os.getcwd()
    if mode == "outside":
        world, stdlib, sites, user = describe_outside(request["outside"])
    else:
        world = describe_world(stdlib)
        user = user_site(world, mode, request["ignore_environment"])
        sites = site_folders(world, user)
    python_path = []
    if not request["ignore_environment"]:
        python_path = pythonpath_entries(os.environ.get("PYTHONPATH"), request["folder"])
    path0 = request["folder"] if request["path0"] == "." else request["path0"]
    path, startup = build_path(start["path"], mode, path0, python_path, stdlib, user, sites)
    places = [entry["path"] for entry in path if entry["kind"] == "folder"]
    # The standard library holds no metadata, and hundreds of names.
    holders = [
        entry["path"] for entry in path if entry["kind"] == "folder" and entry["origin"] != "stdlib"
    ]
    nothing = ([], [])
    holders = list(dict.fromkeys(holders))
    distributions, leftovers = _try(nothing, "the distributions", scan_distributions, holders)
    prefix = world["prefix"]
    listed = set(request["variables"])
    conda = _try(None, "the conda records", read_conda, prefix, listed)
    configs = _try([], "the configuration files", find_configs, request, prefix)
    backends = _backends(request, configs, distributions)
    way = _way(request, backends, distributions)
    names = list(request["module_names"]) + list(request["roots"])
    for distribution in way:
        names += [name.partition(".")[0] for name in distribution["import_packages"]]
    mapping = editable_mapping(sites)
    thorough = request["thorough"]
    for distribution in distributions if thorough else ():
        read_particulars(distribution)
    idle = () if thorough else idle_names(request["idle"], backends, distributions)
    checked = [one for one in way if normal(one["name"]) not in idle]
    wanted, watched = request["commands"], set(request["watched"])
    target = dict(request["given"]["target"])
    target["python"] = target["python"] or sys.executable
    target["folder"] = target["folder"] or request["folder"]
    target["path0"] = path0
    texts = {}
    files = _try([], "the installed files", check_files, checked, distributions, thorough, texts)
    native = None
    if mode != "outside":
        arguments = (checked, texts, distributions, world["interpreter"], thorough)
        native = _try(None, "the shared objects", look_at_native, *arguments)
    theano = None
    if "theano" in backends or "theano" in request["roots"]:
        from keras_doctor.collect.patient.theano import describe_theano

        theano = _try(None, "Theano's settings", describe_theano, configs, request["folder"])
    startup = startup + _customize(start, path, world)
    known = conda["variables"] if conda else []
    started_with = request.get("environ")
    facts = {
        "interpreter": world["interpreter"],
        "path": path,
        "startup": startup,
        "distributions": distributions,
        "leftovers": leftovers,
        "files": files,
        "modules": _try([], "the modules", find_modules, names, places, world, mapping),
        "local_modules": _try([], "the local modules", find_local_modules, path, world),
        "configs": configs,
        "variables": find_variables(request["variables"], known, started_with, startup),
        "commands": _try([], "the commands on PATH", find_commands, wanted, prefix, watched),
        "conda": conda,
        "machine": _try(None, "the machine", describe_machine),
        "native": native,
        "theano": theano,
        "problems": PROBLEMS,
    }
    return dict(request["given"], target=target, **facts)


def _try(fallback, what, function, *arguments):
    """A part that fails must not take the other facts with it; the sentence says so."""
    try:
        return function(*arguments)
    except Exception as error:
        problem("reading %s failed: %s: %s" % (what, type(error).__name__, error))
        return fallback


def _backends(request, configs, distributions):
    texts = [one["text"] for one in configs if one["kind"] == "keras.json" and one["text"]]
    backends = asked_backends(request, os.environ.get("KERAS_BACKEND"), texts)
    return backends + fixed_backends(request, distributions)


def _way(request, backends, distributions):
    roots = list(request["roots"])
    for backend in backends:
        roots += request["backends"].get(backend, [backend])
    return distributions_on_the_way(list(dict.fromkeys(roots)), distributions)


def _customize(start, path, world):
    """The customize modules that ran, or would run when the start is only modelled."""
    found = []
    places = [entry["path"] for entry in path if entry["origin"] != "script"]
    names = ["sitecustomize", "usercustomize"]
    modules = find_modules(names, places, world, {})
    for module in modules:
        file = start["modules"].get(module["name"]) or module["path"]
        if file:
            entry = {"path": file, "line": 0, "text": module["name"], "kind": "customize"}
            found.append(entry)
    return found
