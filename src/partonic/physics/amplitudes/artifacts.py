"""Generated matrix elements on disk: what identifies one, who may generate it, and where it lies.

A matrix element is generated once by `pyamplicol` (through Symbolica) and evaluated many times without it. What was
generated is kept in a cache folder under the hash of everything it depends on: process, coupling orders, the content
of the model's files, restriction, generator version and machine. Generation runs in a process of its own with a time
limit, one at a time for each user on a machine (without a licence Symbolica allows no second one), guarded by a file
lock that a killed process gives back by itself. Parameter values are no part of the key: they are set when the matrix
element is loaded.
"""

import contextlib
import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from partonic.errors import DependencyError, ProcessError
from partonic.files import output_folder, write_json
from partonic.provenance import content_hash

__all__ = ["ArtifactRequest", "ExternalModel", "GenerationOptions", "default_cache", "model_files", "require_generator"]

_LOGGER = logging.getLogger(__name__)
_GENERATOR = "pyamplicol"
_MODEL_FILES = ("*.py", "*.json", "*.dat")
_SYMBOLICA_BUSY = "Cannot start another restricted Symbolica"
_NO_DIAGRAM = ("closure", "no concrete process", "not an external state", "no particle")

Colour = Literal["full", "lc"]


def default_cache() -> Path:
    """Return the folder that keeps generated matrix elements, below ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "partonic" / "matrix_elements"


def _package_folder() -> Path:
    """Return the folder of the generator without importing it: that would take Symbolica's single process."""
    require_generator()
    spec = importlib.util.find_spec(_GENERATOR)
    return Path(str(spec.origin if spec is not None else "")).parent


def require_generator() -> None:
    """Raise unless the package that generates and evaluates matrix elements is installed.

    Raises:
        DependencyError: if `pyamplicol` is not installed.
    """
    if importlib.util.find_spec(_GENERATOR) is None:
        raise DependencyError(
            f"matrix elements of a UFO or serialized model need the package '{_GENERATOR}', which is not installed: "
            "pip install 'partonic[ufo]'"
        )


def model_files(path: Path) -> tuple[Path, ...]:
    """Return the files that a model consists of, sorted: those of a UFO folder, or one file with its cards."""
    if path.is_dir():
        return tuple(sorted(file for kind in _MODEL_FILES for file in path.rglob(kind)))
    cards = sorted(path.parent.glob("restrict_*")) if path.suffix == ".json" else []
    return (path, *cards)


@dataclass(frozen=True, kw_only=True)
class GenerationOptions:
    """How a matrix element is generated.

    Attributes:
        orders: largest power of each coupling order in the amplitude, e.g. ``{"QCD": 2, "QED": 1, "NP": 1}``. None: the
            lowest orders at which the process exists, which leaves effective operators out.
        time_limit: seconds after which a generation is stopped. Large models can keep the generator busy for ever.
        lock_wait: seconds to wait for a generation that runs in another process of this user.
        cache: folder of the generated matrix elements; None for `default_cache`.
    """

    orders: Mapping[str, int] | None = None
    time_limit: float = 600.0
    lock_wait: float = 1800.0
    cache: Path | None = None

    def __post_init__(self) -> None:
        if not (self.time_limit > 0 and self.lock_wait >= 0):
            raise ProcessError(
                f"time_limit must be positive and lock_wait non-negative seconds, got {self.time_limit} and "
                f"{self.lock_wait}"
            )


@dataclass(frozen=True, kw_only=True)
class ExternalModel:
    """The model of an external matrix element.

    Attributes:
        source: ``"sm"`` for the Standard Model that comes with the generator, the folder of a UFO model, or a
            serialized model (``.json``, ``.pyamplicol-model``).
        restriction: name of the model's restriction card; None for its default card. Couplings that the card sets to
            zero are removed from the model, so pick one in which the wanted coefficients are not zero.
        trust_model_code: consent to run the Python code that a UFO model consists of.
    """

    source: str | Path = "sm"
    restriction: str | None = None
    trust_model_code: bool = False

    def path(self) -> Path:
        """Return the file or folder of the model.

        Raises:
            ProcessError: if it does not exist, or is a UFO model for whose code consent is missing.
        """
        if self.source == "sm":
            return _package_folder() / "assets" / "models" / "json" / "sm" / "sm.json"
        path = Path(self.source).expanduser().resolve()
        if not path.exists():
            raise ProcessError(
                f"model not found: {path}. Expected 'sm', the folder of a UFO model, or a serialized model (.json)"
            )
        if path.is_dir() and not self.trust_model_code:
            raise ProcessError(
                f"{path} is a UFO model: a Python program that runs with your rights when it is loaded. Read it or "
                "make sure where it comes from, then consent with trust_model_code=True"
            )
        return path

    def digest(self) -> str:
        """Return a hash of the content of the model's files."""
        path = self.path()
        files = model_files(path)
        if not files:
            raise ProcessError(f"{path} holds no UFO model: expected Python files such as particles.py and vertices.py")
        digest = hashlib.sha256()
        for file in files:
            digest.update(f"{file.relative_to(path.parent)}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
        return digest.hexdigest()


@dataclass(frozen=True)
class ArtifactRequest:
    """One matrix element to generate, or to find in the cache.

    Attributes:
        process: as the generator writes it, ``"g g > t t~ H"``, or PDG identifiers ``((21, 21), (6, -6, 25))``.
        model: the model.
        colour: ``"full"`` for the whole colour sum, ``"lc"`` for leading colour, flow by flow.
        options: how to generate.
    """

    process: str | tuple[tuple[int, ...], tuple[int, ...]]
    model: ExternalModel = field(default_factory=ExternalModel)
    colour: Colour = "full"
    options: GenerationOptions = field(default_factory=GenerationOptions)

    def __post_init__(self) -> None:
        if isinstance(self.process, str) and self.process.count(">") != 1:
            raise ProcessError(f"a process is written like 'g g > t t~ H', got '{self.process}'")

    def artifact(self) -> Path:
        """Return the folder of the generated matrix element, after generating it if it is not there yet.

        Raises:
            DependencyError: if the generator is not installed.
            ProcessError: if the model is unusable, the process has no amplitude in it, the generator fails or takes
                longer than its limit, or another process keeps the generator for too long.
            OutputError: if the cache folder cannot be written.
        """
        require_generator()
        cache = output_folder(self.options.cache or default_cache())
        identity = self._identity()
        folder = cache / content_hash(identity)[:32]
        if not (folder / "artifact.json").is_file():
            with _generation_lock(self.options.lock_wait):
                if not (folder / "artifact.json").is_file():
                    self._generate(cache, folder)
                    write_json(cache / f"{folder.name}.json", identity)
        return folder

    def _identity(self) -> dict[str, object]:
        text = (
            " ".join(self.process.split()) if isinstance(self.process, str) else [list(side) for side in self.process]
        )
        orders = None if self.options.orders is None else dict(self.options.orders)
        return {"process": text, "colour": self.colour, "orders": orders, **self._model_identity()}

    def _model_identity(self) -> dict[str, object]:
        return {
            "model": self.model.digest(),
            "restriction": self.model.restriction,
            "generator": importlib.metadata.version(_GENERATOR),
            "machine": platform.machine(),
        }

    def _generate(self, cache: Path, folder: Path) -> None:
        kernels = output_folder(cache / "models") / f"{content_hash(self._model_identity())[:32]}.pyamplicol-model"
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=cache) as scratch:
            request = {
                **self._identity(),
                "model": str(self.model.path()),
                "model_cache": str(cache / "models"),
                "prepared_model": str(kernels),
                "output": str(Path(scratch) / "artifact"),
            }
            _run_generator(request, Path(scratch), self.options)
            # Another machine that shares the cache may have been faster: either folder serves.
            if not (folder / "artifact.json").is_file():
                (Path(scratch) / "artifact").replace(folder)


@contextlib.contextmanager
def _generation_lock(wait: float) -> Iterator[None]:
    """Hold this user's generation lock on this machine, waiting at most `wait` seconds for it."""
    path = Path(tempfile.gettempdir()) / f"partonic-generation-{os.getuid()}.lock"
    deadline = time.monotonic() + wait
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        waiting = False
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise ProcessError(
                    f"another process of yours has been generating a matrix element for more than {wait:g} s and holds "
                    f"{path}; only one may run at a time. Wait for it, stop it, or raise lock_wait"
                )
            if not waiting:
                _LOGGER.info("waiting up to %g s for another generation of a matrix element (lock %s)", wait, path)
                waiting = True
            time.sleep(0.2)
        yield
    finally:
        os.close(handle)  # closing gives the lock back


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _run_generator(request: Mapping[str, object], scratch: Path, options: GenerationOptions) -> None:
    """Run the generator program on `request`, waiting while another program of the user keeps Symbolica busy."""
    asked, answered = scratch / "request.json", scratch / "answer.json"
    asked.write_text(json.dumps(request), encoding="utf-8")
    deadline = time.monotonic() + options.lock_wait
    _LOGGER.info("generating %s with %s", request["process"], request["model"])
    while True:
        done = _generator_process(request, asked, answered, options.time_limit)
        if _SYMBOLICA_BUSY not in done.stdout + done.stderr:
            break
        here = "symbolica" in sys.modules
        if here or time.monotonic() >= deadline:
            who = "this process has" if here else f"another program of yours has for {options.lock_wait:g} s"
            raise ProcessError(
                f"cannot generate {request['process']}: {who} used Symbolica, and without a licence it allows one "
                "program at a time. Close sessions that have imported symbolica or pyamplicol, or raise lock_wait"
            )
        time.sleep(0.5)
    for line in (done.stdout + done.stderr).splitlines():
        _LOGGER.info("generator: %s", line)
    _check_answer(request, answered, done)


def _generator_process(
    request: Mapping[str, object], asked: Path, answered: Path, time_limit: float
) -> subprocess.CompletedProcess[str]:
    program = Path(__file__).with_name("generator_program.py")
    environment = {
        **os.environ,
        "SYMBOLICA_HIDE_BANNER": "1",
        "PYTHONDONTWRITEBYTECODE": "1",  # leave no __pycache__ in the user's model
        "PYAMPLICOL_CACHE_DIR": str(request["model_cache"]),
    }
    try:
        return subprocess.run(  # -P: the folder of the program must not shadow other packages
            [sys.executable, "-P", str(program), str(asked), str(answered)],
            cwd=asked.parent, env=environment, timeout=time_limit, capture_output=True, text=True, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ProcessError(
            f"generating {request['process']} took longer than {time_limit:g} s and was stopped. Large models can keep "
            "the generator busy for ever: restrict the model or the coupling orders, or raise time_limit"
        ) from error


def _check_answer(request: Mapping[str, object], answered: Path, done: subprocess.CompletedProcess[str]) -> None:
    what = f"{request['process']} (model {request['model']})"
    if not answered.is_file():
        tail = " | ".join(done.stderr.splitlines()[-3:]) or "nothing printed"
        raise ProcessError(f"the generator died on {what} with exit status {done.returncode}: {tail}")
    answer = json.loads(answered.read_text(encoding="utf-8"))
    if "error" not in answer:
        return
    particles = f". The model has the particles {answer['particles']}" if "particles" in answer else ""
    if any(mark in answer["message"] for mark in _NO_DIAGRAM):
        raise ProcessError(
            f"no amplitude for {what}: {answer['message']}. Check the particle names, charges and coupling orders "
            f"{request['orders'] or '(lowest by default)'}; the generator also misses some processes that do exist, "
            f"such as u b > d t{particles}"
        )
    raise ProcessError(f"the generator failed on {what}: {answer['error']}: {answer['message']}")
