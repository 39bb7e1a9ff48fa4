"""Which distributions lie on the way of the import: only their files are worth checking."""

from keras_doctor.collect.patient.distributions import read_particulars
from keras_doctor.collect.patient.metadata import normal, required_name


def asked_backends(request, variable, config_texts):
    """The names of backends that any setting asks for, the default when none does.

    Args:
        request: ``asked`` (the wish and what the user's program sets), ``backends`` (the
            names that count), ``default_backend``.
        variable: The value of KERAS_BACKEND or None.
        config_texts: Texts of the keras.json files.
    """
    known = request["backends"]
    found = [name for name in list(request["asked"]) + [variable] if name in known]
    for text in config_texts:
        # Whether a text is valid JSON does not matter for a superset.
        after = text.partition('"backend"')[2].partition(":")[2].strip()
        value = after[1:].partition(after[:1])[0] if after[:1] in ('"', "'") else ""
        if value in known:
            found.append(value)
    if not found:
        found = [request["default_backend"]]
    return list(dict.fromkeys(found))


def fixed_backends(request, distributions):
    """Backends that an installed Keras takes whatever is asked, by ranges of its version.

    ``request["fixed_backend"]`` holds ``{"from": [2, 4], "before": [3], "backend": NAME}``.
    """
    found = []
    for distribution in distributions:
        if normal(distribution["name"]) != "keras":
            continue
        version = leading_numbers(distribution["version"])
        found += [
            fixed["backend"]
            for fixed in request["fixed_backend"]
            if fixed["from"] <= version < fixed["before"]
        ]
    return found


def idle_names(measured, backends, distributions):
    """The names that stay idle with this Keras, whichever of the backends it takes.

    Args:
        measured: Dicts with ``keras`` (a first version number), ``backend`` and ``names``.
        backends: The backends that any setting asks for.
        distributions: All; every Keras among them counts.
    """
    versions = [
        leading_numbers(one["version"])
        for one in distributions
        if normal(one["name"]) in ("keras", "keras-nightly")
    ]
    found = []
    for version in versions:
        for backend in backends:
            wanted = (version[:1], backend)
            rows = [row for row in measured if ([row["keras"]], row["backend"]) == wanted]
            found.append(set(rows[0]["names"]) if rows else set())
    return set.intersection(*found) if found else set()


def leading_numbers(version):
    """``3.0.5rc1`` as [3, 0, 5]: the numbers before anything else."""
    numbers = []
    for part in version.split("."):
        digits = ""
        for character in part:
            if character not in "0123456789":
                break
            digits += character
        if not digits:
            break
        numbers.append(int(digits[:9]))
        if digits != part:
            break
    return numbers


def distributions_on_the_way(roots, distributions):
    """The distributions that own the root import names, and what these require, transitively.

    Returns them in the order of ``distributions``, with their particulars read; duplicates of a
    name are all in.
    """
    by_name = {}
    by_import = {}
    for index, distribution in enumerate(distributions):
        by_name.setdefault(normal(distribution["name"]), []).append(index)
        for name in distribution["import_packages"]:
            by_import.setdefault(name.partition(".")[0], []).append(index)
    todo = []
    for root in roots:
        todo += by_import.get(root, []) + by_name.get(normal(root), [])
    chosen = set()
    while todo:
        index = todo.pop()
        if index in chosen:
            continue
        chosen.add(index)
        read_particulars(distributions[index])
        for requirement in distributions[index]["requires"]:
            todo += by_name.get(required_name(requirement), [])
    return [distributions[index] for index in sorted(chosen)]
