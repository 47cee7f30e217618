"""The events that a model was trained on, kept beside its weights, so that it refuses events that mean something else.

What counts are the columns that a network sees (jets, leptons, missing transverse momentum: names, types and units),
the process, and the energy of the collider, from which the momentum fractions follow. A store of data has no partons;
that is no difference.
"""

from partonic.config.base import StrictModel
from partonic.errors import SchemaError
from partonic.events.schema import EventSchema, ProcessInfo, StoreMetadata

__all__ = ["SEEN", "SchemaRecord"]

SEEN = ("jets", "leptons", "met")
"""Groups of columns that the networks see."""

_ENERGY_TOLERANCE = 1e-6


class SchemaRecord(StrictModel):
    """What a model expects of the events that it is applied to."""

    process: str
    """Short name of the hard process."""

    collider_energy: float
    """√S in GeV."""

    fingerprint: str
    """`EventSchema.fingerprint` of the groups in `SEEN`."""

    columns: dict[str, str]
    """Type and unit of each of these columns."""

    @classmethod
    def of(cls, process: ProcessInfo) -> "SchemaRecord":
        """Return the record of the events of `process` that this version of the package writes."""
        schema = EventSchema(process)
        return cls(
            process=process.name,
            collider_energy=process.collider_energy,
            fingerprint=schema.fingerprint(SEEN),
            columns={
                column.name: f"{column.type} [{column.unit or 'pure number'}]"
                for column in schema.columns
                if column.group in SEEN
            },
        )

    def check(self, metadata: StoreMetadata, where: str) -> None:
        """Check that the events of a store are such as the model was trained on.

        Args:
            metadata: of the store.
            where: name of the store, for the message.

        Raises:
            SchemaError: naming everything that differs.
        """
        found = SchemaRecord.of(metadata.process_info)
        differences = [*self._scalar_differences(found), *self._column_differences(found)]
        if differences:
            raise SchemaError(
                f"{where} does not hold events such as the model was trained on: {'; '.join(differences)}. Use a model "
                "that was trained on such events (`partonic train`), or write the events anew with this version"
            )

    def check_detector(self, metadata: StoreMetadata, where: str) -> None:
        """Check that a store holds events of the detector and collider that the model was trained on.

        The process may be another: what is asked for is what these events would be if they came from ours.

        Args:
            metadata: of the store.
            where: name of the store, for the message.

        Raises:
            SchemaError: naming what differs.
        """
        self.model_copy(update={"process": metadata.process}).check(metadata, where)

    def _scalar_differences(self, found: "SchemaRecord") -> list[str]:
        differences = []
        if found.process != self.process:
            differences.append(f"process '{found.process}', the model knows '{self.process}'")
        if abs(found.collider_energy / self.collider_energy - 1.0) > _ENERGY_TOLERANCE:
            differences.append(f"√S = {found.collider_energy:g} GeV, the model knows {self.collider_energy:g} GeV")
        return differences

    def _column_differences(self, found: "SchemaRecord") -> list[str]:
        if found.fingerprint == self.fingerprint:
            return []
        names = sorted({*self.columns, *found.columns})
        different = [
            f"column {name}: {found.columns.get(name, 'absent')}, the model knows {self.columns.get(name, 'none')}"
            for name in names
            if found.columns.get(name) != self.columns.get(name)
        ]
        return different or [f"fingerprint {found.fingerprint[:12]}…, the model has {self.fingerprint[:12]}…"]
