"""The part of the collector that runs inside the patient.

These files are ordinary modules, so that they can be read, checked and tested one by one, but
in the patient they live in ONE namespace: :mod:`keras_doctor.collect.bundle` strings them
together and drops the imports between them. Rules for the code here:

- the syntax of Python 2.7 and 3.6 at once (no f-strings, no annotations, no ``raise from``):
  an interpreter that is too old must be able to parse everything in order to say so;
- standard library only, and of that ``os``, ``stat``, ``site`` and what is built in; ``re``,
  ``json`` or ``ast`` each cost as much as the whole scan and are imported only where a rare
  file needs them;
- pure ASCII, and no top-level name twice;
- nothing is written, nothing that is installed is imported, every read is bounded.
"""
