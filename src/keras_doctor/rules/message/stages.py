"""What a finding that comes from words is worth, and where on the way of the import it bites."""

from __future__ import annotations

from keras_doctor.rules import stages

_WEIGHTS = {"certain": "fatal", "likely": "likely", "possible": "risk"}
_STAGES = {
    "KD1": stages.SELECTION,
    "KD2": stages.PATH,
    "KD3": stages.FILES,
    "KD4": stages.VERSIONS,
    "KD5": stages.LOADER,
    "KD6": stages.CODE,
    "KD7": stages.PRESENCE,
    "KD9": stages.VERSIONS,
}


def weight_of(confidence: str) -> str:
    """The weight of a finding by how far the words settle its cause."""
    return _WEIGHTS[confidence]


def stage_of(code: str) -> int:
    """The stage of a rule's family."""
    return _STAGES[code[:3]]
