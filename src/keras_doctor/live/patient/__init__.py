"""The instrumented child: runs in the patient, on Python 3.6 to 3.14.

Standard library only, and of that only modules that every interpreter has loaded or built in
(sys, os, time, faulthandler, _signal): a `json.py` in the user's folder must be found by the
user's imports, not by ours, and must not have been imported by us before.

The files are joined into one program (see `keras_doctor.live.bundle`), which leaves out their
imports of each other.
"""
