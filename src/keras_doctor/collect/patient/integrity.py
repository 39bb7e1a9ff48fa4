"""The installed files of the distributions on the way of the import, against their RECORD."""

import os

from keras_doctor.collect.patient.codeversion import find_code_version
from keras_doctor.collect.patient.distributions import MOST_RECORD, read_particulars
from keras_doctor.collect.patient.files import problem, read_text
from keras_doctor.collect.patient.record import parse_record, with_parents
from keras_doctor.collect.patient.tree import Tree

MOST_LISTED = 200


def check_files(checked, distributions, contents, texts):
    """A dict like FileCheck for each distribution on the way.

    Args:
        checked: The distributions whose files are looked at.
        distributions: All, because a file may belong to another one.
        contents: Whether to look at the first bytes of each file too.
        texts: A dict that gets the text of each RECORD read, by the metadata folder.
    """
    checks = []
    locations = list(dict.fromkeys(distribution["location"] for distribution in checked))
    for location in locations:
        here = [one for one in checked if one["location"] == location]
        chosen = {id(one) for one in here}
        others = [
            one for one in distributions if one["location"] == location and id(one) not in chosen
        ]
        checks += _check_location(location, here, others, contents, texts)
    return checks


def _check_location(location, here, others, contents, kept):
    texts = [_record_text(one) for one in here]
    kept.update(zip([one["metadata"] for one in here], texts))  # noqa: B905
    records = [parse_record(text) for text in texts]
    tree = Tree(location, records, texts, contents)
    unrecorded = _known_to_nobody(tree.unrecorded, here, others)
    checks = []
    for distribution, record in zip(here, records):  # noqa: B905 - Python 3.6 has no strict
        anomalies = _compare(record, tree)
        own = with_parents(record)
        strangers = [path for folder, path in unrecorded if folder in own]
        version, where = find_code_version(location, distribution["import_packages"])
        checks.append(
            {
                "distribution": distribution["name"],
                "metadata": distribution["metadata"],
                "checked": sum([len(files) for files in record.values()]),
                "anomalies": anomalies[:MOST_LISTED],
                "anomalies_total": len(anomalies),
                "unrecorded": strangers[:MOST_LISTED],
                "unrecorded_total": len(strangers),
                "code_version": version,
                "code_version_where": where,
                "contents_checked": contents,
                "dangling": _dangling(location, anomalies),
            }
        )
    return checks


def _record_text(distribution):
    if distribution["record"] != "present":
        return ""
    return read_text(os.path.join(distribution["metadata"], "RECORD"), MOST_RECORD) or ""


def _compare(record, tree):
    """The anomalies of one distribution, in the order of the paths."""
    anomalies = []
    closed = set()
    for folder in sorted(record):
        recorded = record[folder]
        actual = tree.files.get(folder, {})
        odd = tree.odd.get(folder)
        if recorded == actual and not odd:
            continue
        barrier = tree.barrier(folder)
        if barrier is not None:
            if barrier not in closed:
                closed.add(barrier)
                anomalies.append(_anomaly(tree.path(barrier), "folder-unreadable", None, None))
            continue
        for name in sorted(recorded):
            wanted = recorded[name]
            size = actual.get(name)
            state = None
            if size is None:
                state = "missing"
            elif odd and name in odd:
                state = odd[name]
            elif wanted is not None and wanted != size:
                state = "size"
            if state:
                anomalies.append(_anomaly(tree.path(folder, name), state, wanted, size))
    return anomalies


def _anomaly(path, state, wanted, size):
    return {"path": path, "state": state, "recorded_size": wanted, "size": size}


def _dangling(location, anomalies):
    """The links that lead nowhere in place of what is missing: files, or folders of them."""
    found = {}
    for anomaly in anomalies[:MOST_LISTED]:
        path = anomaly["path"]
        while anomaly["state"] == "missing" and len(path) > len(location):
            if os.path.islink(path) and not os.path.exists(path):
                found[path] = True
            path = os.path.dirname(path)
    return list(found)


def _silent_packages(distributions):
    """Import packages of distributions without a RECORD: whose files are theirs is unknown."""
    silent = set()
    for distribution in distributions:
        if distribution["record"] != "present":
            silent.update(distribution["import_packages"])
    return silent


def _known_to_nobody(candidates, here, others):
    """Of the candidates (folder, relative path, path) those that no RECORD knows.

    Returns a list of (nearest recorded folder, absolute path).
    """
    if not candidates:
        return []
    for distribution in others:
        read_particulars(distribution)
    silent = _silent_packages(here + others)
    left = [one for one in candidates if one[1].partition("/")[0] not in silent]
    if not left:
        return []
    known = set()
    for distribution in others:
        for folder, names in parse_record(_record_text(distribution)).items():
            known.update([folder + "/" + name for name in names])
    if len(candidates) >= Tree.MOST_UNRECORDED:
        problem("more than %d files that no RECORD knows: not all are counted" % len(candidates))
    return [(folder, path) for folder, relative, path in left if relative not in known]
