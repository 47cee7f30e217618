"""The section `process` of an analysis file: which hard process, at which collider, with which constants.

What all processes have is here; what one of them has beyond that is in its folder of `partonic.processes`. The section
is validated by the model of the process that its key `name` names.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, SerializeAsAny
from pydantic.json_schema import JsonSchemaValue

from partonic.config.base import SettingError, StrictModel
from partonic.config.names import nearest
from partonic.config.paths import LocalPath
from partonic.process_registry import default_process, find_process, process_names

__all__ = ["AnyProcess", "PdfConfig", "ProcessConfig", "default_settings", "parameter_names", "settings_models"]


class PdfConfig(StrictModel):
    """Parton distributions."""

    name: str = "NNPDF31_lo_as_0130"
    """Name of an LHAPDF-format set. The default ships with Pythia 8."""
    folder: LocalPath | None = None
    """Folder with LHAPDF-format sets; by default those of `LHAPDF_DATA_PATH` and the sets shipped with Pythia 8."""
    member: int = Field(default=0, ge=0)
    """Member of the set; 0 is the central one."""


class ProcessConfig(StrictModel):
    """The hard process. Masses, widths and energies in GeV. Each process adds settings of its own."""

    name: str
    """Name of the process; `partonic processes` lists them, and explains each."""
    collider_energy: float = Field(default=13000.0, gt=0.0)
    """√S of the proton–proton collisions."""
    pdf: PdfConfig = PdfConfig()
    """Parton distributions, which also give α_s(μ_R)."""
    factorization_scale_factor: float = Field(default=1.0, gt=0.0)
    """μ_F in units of the scale of the process."""
    renormalization_scale_factor: float = Field(default=1.0, gt=0.0)
    """μ_R in units of the scale of the process."""


def settings_models() -> tuple[type[ProcessConfig], ...]:
    """Return the models of the section of all processes, in the order of their names."""
    return tuple(find_process(name).settings for name in process_names())


def parameter_names(settings: ProcessConfig) -> tuple[str, ...]:
    """Return the names of the theory parameters of a process, in the order of θ."""
    return tuple(parameter.name for parameter in find_process(settings.name).parameters(settings))


def default_settings() -> ProcessConfig:
    """Return the settings of the process of a file that has no section `process`."""
    settings: ProcessConfig = _of_its_process({})
    return settings


def _of_its_process(value: Any) -> Any:
    """Validate a mapping by the model of the process that it names."""
    if not isinstance(value, Mapping):
        return value
    name, known = value.get("name", default_process()), process_names()
    if name not in known:
        raise SettingError(("name",), f"there is no process '{name}'; {nearest(str(name), known)}")
    model: type[ProcessConfig] = find_process(name).settings
    return model.model_validate({**value, "name": name})


class _OneOfAll:
    """The JSON schema of the section: one of those of all processes."""

    @staticmethod
    def __get_pydantic_json_schema__(_: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [handler(model.__pydantic_core_schema__) for model in settings_models()]}


AnyProcess = Annotated[SerializeAsAny[ProcessConfig], BeforeValidator(_of_its_process), _OneOfAll]
"""The settings of any process: those of its own model."""
