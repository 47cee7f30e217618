"""The shape of the package: who imports whom, how long things are, and what a library never does.

The order of the rooms is that of `docs/explanation/architecture.md`; imports go down only.
"""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

from partonic.process_registry import process_names

SOURCE = Path(__file__).resolve().parents[1] / "src" / "partonic"

ORDER = (
    {"cli"},
    {"workflow", "notebook"},
    {"report"},
    {"plots", "export"},
    {"surrogate"},
    {"mem", "sbi"},
    {"unfolding"},
    {"classify"},
    {"estimators"},
    {"inference"},
    {"trees"},
    {"nn", "generation", "simulation", "reweighting", "features"},
    {"trained"},
    {"events"},
    {"processes"},
    {"physics"},
    {"config"},
    {
        "estimate",
        "estimator_registry",
        "event_status",
        "polynomial",
        "parameter_names",
        "plain_text",
        "provenance",
        "files",
        "parts",
        "parallel",
        "pretrained",
        "process_registry",
        "progress",
    }
    | {"units", "rng", "errors"},
)
RANK = {room: len(ORDER) - level for level, rooms in enumerate(ORDER) for room in rooms}
BOTTOM = ORDER[-1]

HEAVY = (
    "torch",
    "numpy",
    "scipy",
    "pyarrow",
    "pythia8mc",
    "fastjet",
    "madnis",
    "madspace",
    "pyamplicol",
    "ufoamp",
    "symbolica",
    "uproot",
    "awkward",
    "pylhe",
    "pyhepmc",
    "dask",
    "distributed",
    "matplotlib",
    "mplhep",
    "jinja2",
    "lightning",
    "safetensors",
    "numba",
    "lgatr",
    "lloca",
    "onnx",
    "onnxruntime",
    "onnxscript",
)
# A child process reads its own list of loaded modules; no clock is involved.
LOADED = "import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"

MODULES = sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = ("partonic", *path.relative_to(SOURCE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


KNOWN = {name_of(path) for path in MODULES}


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_modules(tree: ast.AST) -> set[str]:
    """Modules of partonic that a tree imports anywhere, inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            inner = {f"{node.module}.{alias.name}" for alias in node.names} & KNOWN
            found |= inner or {node.module}
    return {name for name in found if name.partition(".")[0] == "partonic"}


def imported_at_load(tree: ast.Module) -> set[str]:
    """Modules of partonic that loading a module loads: imports outside functions and `if TYPE_CHECKING` blocks."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= imported_modules(ast.Module([node], []))
    return found


def functions_of(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without the docstring."""
    body = function.body
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


by_module = pytest.mark.parametrize("path", MODULES, ids=name_of)

TESTS = Path(__file__).resolve().parent
ROOMS = sorted({path.parent for path in MODULES})
TEST_FILES = sorted(TESTS.rglob("test_*.py"))
MOST_FILES = 25


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.relative_to(SOURCE).as_posix())
def test_a_room_has_few_files(room: Path) -> None:
    files = len(list(room.glob("*.py")))
    assert files <= MOST_FILES, f"{room} has {files} files: divide it by what the files are about"


@pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.relative_to(TESTS).as_posix())
def test_tests_mirror_the_sources(path: Path) -> None:
    """The folder of a test file is a room, and the test of a module lies where the module lies."""
    place = path.parent.relative_to(TESTS)
    room, subject = SOURCE / place, path.stem.removeprefix("test_")
    assert room.is_dir(), f"{path}: there is no room {place}"
    if (room / f"{subject}.py").exists() or (room / subject).is_dir():
        return
    # A test across modules has a name of its own; one with the name of a module of this part lies beside it.
    part = SOURCE / place.parts[0] if place.parts else SOURCE
    elsewhere = [found.relative_to(SOURCE).as_posix() for found in part.rglob(f"{subject}.py")]
    assert not place.parts or not elsewhere, f"{path}: the module is {', '.join(elsewhere)}"


@by_module
def test_imports_go_down_only(path: Path) -> None:
    module = name_of(path)
    if module == "partonic":
        return  # the front door names what every room offers, and loads it on first use
    room = room_of(module)
    assert room in RANK, f"{module}: give the new room '{room}' its place in ORDER"
    for target in imported_modules(tree_of(path)):
        other = room_of(target)
        assert other, f"{module} imports the package itself; import the module that defines the name"
        allowed = other == room or RANK[other] < RANK[room] or (room in BOTTOM and other in BOTTOM)
        assert allowed, f"{module} imports {target}: imports go down only"


def test_no_import_cycle() -> None:
    graph = {name_of(path): imported_at_load(tree_of(path)) - {name_of(path)} for path in MODULES}
    graph["partonic"] = set()
    assert tuple(TopologicalSorter(graph).static_order())


_ORDINARY_WORDS = ("external",)


@by_module
def test_only_the_rooms_of_processes_name_one(path: Path) -> None:
    """Neither in the code nor in comments: everything said about a process is in its folder."""
    if path.relative_to(SOURCE).parts[0] == "processes":
        return
    # Where a name is a word of the language, too, only its use as a value counts.
    values = "|".join(rf"[\"']{name}[\"']" for name in _ORDINARY_WORDS)
    others = "|".join(re.escape(name) for name in process_names() if name not in _ORDINARY_WORDS)
    word = re.compile(rf"\b(?:{others})\b|{values}")
    lines = enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
    named = [f"line {number}: {line.strip()}" for number, line in lines if word.search(line)]
    assert not named, f"{path} names a process, {'; '.join(named)}"


@by_module
def test_no_relative_import_upwards(path: Path) -> None:
    upwards = [n.lineno for n in ast.walk(tree_of(path)) if isinstance(n, ast.ImportFrom) and n.level > 1]
    assert not upwards, f"{path}: relative import upwards on lines {upwards}"


@by_module
def test_library_neither_prints_nor_asserts(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        assert not isinstance(node, ast.Assert), f"{path}:{node.lineno}: raise a named error instead of assert"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "eval", "exec"}, f"{path}:{node.lineno}: {node.func.id}()"


@by_module
def test_no_pickle_and_no_torch_load(path: Path) -> None:
    tree = tree_of(path)
    imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not imports & {"pickle", "dill", "joblib", "shelve", "marshal"}, "files are data: Parquet, JSON, safetensors"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) != ("torch", "load"), f"{path}:{node.lineno}: torch.load"


@by_module
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, f"{path}: one concept a file"
    long = {function.name: body_lines(function) for function in functions_of(tree_of(path))}
    assert all(lines <= 60 for lines in long.values()), f"{path}: {long}"


@by_module
def test_module_says_what_it_is(path: Path) -> None:
    docstring = ast.get_docstring(tree_of(path))
    assert docstring, f"{path}: the module docstring states the concept or the method"
    assert docstring != "PLACEHOLDER", f"{path}: the module docstring is still to be written"


def test_typical_file_and_function_are_short() -> None:
    assert median(len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES) <= 200
    assert median(body_lines(function) for path in MODULES for function in functions_of(tree_of(path))) <= 8


@pytest.mark.parametrize("module", ["partonic", "partonic.cli", "partonic.config", "partonic.cli.group"])
def test_import_loads_nothing_heavy(module: str) -> None:
    command = [sys.executable, "-c", LOADED.format(module=module)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "partonic" in loaded
    assert not set(loaded) & set(HEAVY)


def test_every_package_that_is_imported_is_declared() -> None:
    """In the dependencies or in an extra."""
    project = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {re.split(r"[<>=\[ ]", entry)[0] for entries in lists for entry in entries} | {"yaml", "sklearn"}
    imported: set[str] = set()
    for path in MODULES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) - declared == set()
