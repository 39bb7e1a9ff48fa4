"""The course of the child: statements in order, then what Keras says, then one step."""

import faulthandler
import os
import sys

from keras_doctor.live.patient.changes import drop_entries, hide
from keras_doctor.live.patient.exceptions import Describer, safe_text
from keras_doctor.live.patient.records import Channel
from keras_doctor.live.patient.saving import save_and_load
from keras_doctor.live.patient.step import train_step
from keras_doctor.live.patient.watch import Watcher, module_file


def modules_of(statement):
    """Returns the top-level names that an import statement imports from."""
    words = statement.replace(",", " , ").split()
    if words[:1] == ["from"]:
        return {words[1].split(".")[0]} if len(words) > 1 else set()
    starts = [index + 1 for index, word in enumerate(words) if word in ("import", ",")]
    return {words[index].split(".")[0] for index in starts if index < len(words)}


class StopRun(BaseException):
    """The run is over; everything was reported."""


class Run:
    """One run: its specification, its channel, its watcher."""

    def __init__(self, spec):
        self.spec = spec
        self.channel = Channel(spec["results"])
        self.describer = Describer(spec["program"])
        self.watcher = Watcher(spec["program"], self.channel)

    def go(self):
        """Runs everything; each step is reported before the next begins."""
        self.listen()
        self.prepare()
        self.channel.send("start", version=sys.version.split()[0])
        try:
            self.statements()
            name, keras = self.guarded("look", "tf.keras", self.find_keras)
            backend = None
            if keras is not None:
                backend = self.guarded("look", name + ".backend", self.look, name, keras)
            self.watcher.finish()
            wish = self.spec["wish"]
            if self.spec["train"] and keras is not None and wish in (None, backend):
                self.train(name, keras, backend)
            self.channel.send("done")
        except StopRun:
            self.watcher.finish()

    def listen(self):
        """Lets faulthandler report a crash, and a hang when the parent asks."""
        spec = self.spec
        self.report = open(spec["crash"], "ab", buffering=0)
        faulthandler.enable(file=self.report, all_threads=True)
        if hasattr(faulthandler, "register"):
            import _signal

            faulthandler.register(_signal.SIGUSR1, file=self.report, all_threads=True)
        else:
            faulthandler.dump_traceback_later(spec["limit"], file=self.report)

    def prepare(self):
        """Makes the world what the user's start would give."""
        spec = self.spec
        sys.dont_write_bytecode = True
        if spec["path0"] is not None:
            sys.path.insert(0, spec["path0"])
        if spec["drop"]:
            drop_entries(spec["drop"])
        hide(spec["hide"])
        sys.meta_path.insert(0, self.watcher)
        sys.argv[:] = [spec["script"] or ""]
        main = sys.modules["__main__"].__dict__
        for name in ("sys", "_"):  # the command line that started us left them there
            main.pop(name, None)
        if spec["script"]:
            main["__file__"] = spec["script"]
        self.names = main

    def statements(self):
        """Runs the user's statements, applying settings of the environment between them."""
        for number, (text, line, path, setting) in enumerate(self.spec["statements"]):
            self.channel.send("begin", number=number)
            if setting == "use":
                self.guarded("statement", text, self.use, text, line, path)
            elif setting is not None:
                variable, value, default_only = setting
                if not default_only or variable not in os.environ:
                    os.environ[variable] = value
            else:
                self.guarded("statement", text, self.execute, text, line, path)

    def execute(self, text, line, path):
        """Runs one statement as the line of its file."""
        source = "\n" * max(0, min(line, 200000) - 1) + text + "\n"
        exec(compile(source, path or "<import>", "exec", dont_inherit=True), self.names)

    def use(self, text, line, path):
        """Looks up a dotted name as the line of its file would, as far as it names modules."""
        parts = text.split(".")
        top = sys.modules.get(parts[0])
        for count in range(1, len(parts) + 1):
            if not isinstance(top, type(sys)):
                return  # what an object has may depend on what the program does
            name = ".".join(parts[:count])
            source = "\n" * max(0, min(line, 200000) - 1) + name
            code = compile(source, path or "<import>", "eval", dont_inherit=True)
            top = eval(code, {parts[0]: sys.modules[parts[0]]})  # noqa: S307 (a dotted name)

    def guarded(self, phase, what, function, *arguments):
        """Calls a function; reports what it raises and stops."""
        try:
            return function(*arguments)
        except BaseException as error:
            self.failed(phase, what, error)
        raise StopRun

    def failed(self, phase, what, error):
        """Reports an exception, then prints it as Python would."""
        code = None
        leaves = isinstance(error, SystemExit)
        if leaves:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
        chain = self.describer.describe(error)
        self.channel.send("raised", phase=phase, what=what, exits=leaves, code=code, chain=chain)
        try:
            if leaves:
                if error.code is not None and not isinstance(error.code, int):
                    sys.stderr.write(safe_text(error.code) + "\n")
                return
            trace = error.__traceback__
            while trace is not None and trace.tb_frame.f_code.co_filename == self.spec["program"]:
                trace = trace.tb_next
            error.__traceback__ = trace
            sys.__excepthook__(type(error), error, trace)
        except BaseException:
            pass

    def find_keras(self):
        """Returns (name, module) of the Keras that the statements are about, or (None, None).

        TensorFlow imports Keras by itself, so `keras` counts only when a statement or a file
        outside TensorFlow asked for it.
        """
        asked = set()
        for text, _line, _path, setting in self.spec["statements"]:
            if setting is None:
                asked.update(modules_of(text))
        inside = os.path.dirname(module_file("tensorflow") or "")
        importer = self.watcher.noted.get("keras")
        if importer is not None and not (inside and importer.startswith(inside + os.sep)):
            asked.add("keras")
        for name in ("keras", "tf_keras"):
            if name in asked and name in sys.modules:
                return name, sys.modules[name]
        tensorflow = sys.modules.get("tensorflow")
        if tensorflow is not None:
            try:
                keras = tensorflow.keras
            except AttributeError:
                if hasattr(tensorflow, "__version__"):
                    return None, None  # a release from before tf.keras
                raise  # a hollow namespace: TensorFlow is not there
            keras.layers  # noqa: B018 - the lazy loader acts only now
            return "tf.keras", keras
        return None, None

    def look(self, name, keras):
        """Reports which Keras this is, and returns its backend's name."""
        if name == "keras" and "backend" not in keras.__dict__:
            # A hollow namespace imports without an error and holds nothing.
            __import__("keras.backend")
        module = keras.backend
        told = getattr(module, "backend", None) or getattr(module, "_BACKEND", None)
        backend = told() if callable(told) else (told or "tensorflow")
        try:
            version = keras.__version__
        except Exception:
            version = None  # tf.keras of some releases has none
        try:
            file = object.__getattribute__(keras, "__dict__").get("__file__") or keras.__file__
        except Exception:
            file = None
        found = {"backend": backend, "version": version, "file": file}
        fields = {key: text if isinstance(text, str) else None for key, text in found.items()}
        self.channel.send("keras", name=name, **fields)
        return backend

    def train(self, name, keras, backend):
        """Trains one step and reports the device."""
        self.channel.send("training", name=name)
        device, remark, model, x = self.guarded("train", name, train_step, keras, backend)
        self.channel.send("trained", device=device, remark=remark)
        if self.spec["save"]:
            self.guarded("save", name, save_and_load, keras, model, x, self.spec["save"])
            self.channel.send("saved")


def leave(channel):
    """Ends the process at once: what happens at exit is not part of the question."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    # A child that an import forked comes here too, when it returns from the import.
    os._exit(0 if os.getpid() == channel.owner else 1)
