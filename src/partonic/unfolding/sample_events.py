"""Sampling with a trained model, found by its name: what `partonic sample` does."""

from functools import partial
from pathlib import Path

from partonic.config.unfolding import SamplingConfig, View
from partonic.errors import ModelError, OutputError
from partonic.events.reconstructed import count_selected
from partonic.events.store import EventStore
from partonic.nn.device import check_device
from partonic.parts import remove_parts
from partonic.pretrained import pretrained_models
from partonic.progress import SILENT, Progress
from partonic.trained.model_files import PRETRAINED, find_model, model_fingerprint
from partonic.unfolding.sampling import LoadedModel, SamplingResult, sample_store
from partonic.unfolding.unfolder import Unfolder

__all__ = ["load_model", "sample_events"]


def load_model(model: str | Path, process: str, view: View | None = None, device: str = "cpu") -> LoadedModel:
    """Load a trained model.

    Args:
        model: ``pretrained``, a folder that holds one folder for each view, or the model folder itself.
        process: name of the hard process, for the pretrained models.
        view: which partons; None for those of the model folder, or for the first view that there is.
        device: where the networks run.

    Raises:
        ModelError: if there is no such model, it is damaged, or samples other partons.
        ConfigError: if the device is not there.
    """
    check_device(device)
    folder = find_model(model, process, view)
    unfolder = Unfolder.load(folder, device)
    if view not in (None, unfolder.view.name):
        raise ModelError(f"{folder} samples the view '{unfolder.view.name}', but '{view}' is asked for")
    return LoadedModel(unfolder, str(model), model_fingerprint(folder), partial(Unfolder.load, folder.resolve()))


def sample_events(
    store: Path,
    output: Path,
    model: str | Path,
    view: View | None,
    config: SamplingConfig,
    seed: int,
    *,
    force: bool = False,
    progress: Progress = SILENT,
) -> SamplingResult:
    """Sample partons for the selected events of a store with a trained model.

    Args:
        store: event store (Parquet).
        output: the file of samples.
        model: as for `load_model`.
        view: as for `load_model`.
        config: settings.
        seed: root seed.
        force: sample again even if nothing changed.
        progress: told about each batch.

    Raises:
        PartonicError: as `load_model` and `sample_store`.
        EventFileError: if the store has no selected event with reconstructed objects.
        OutputError: if `output` is the store itself.
    """
    if output.resolve() == store.resolve():
        raise OutputError(f"{output} is the event store; give the samples a file of their own")
    events = EventStore.open(store)
    count_selected(events, "unfold")
    loaded = _model_for(events, model, view, config.device)
    if force:
        remove_parts(output)
        output.unlink(missing_ok=True)
    return sample_store(store, loaded, config, seed, output, progress)


def _model_for(store: EventStore, model: str | Path, view: View | None, device: str) -> LoadedModel:
    """Load the model for the events of a store.

    Raises:
        ModelError: if there is none for their process, or it is damaged.
    """
    process = store.metadata.process
    if str(model) == PRETRAINED and process not in pretrained_models():
        raise ModelError(
            f"{store.path} holds events of '{process}', for which no unfolding model ships with partonic (there are "
            f"some for: {', '.join(pretrained_models())}): train one on simulated events of '{process}' (section "
            "`unfolding`, `partonic train`), and name its folder with --model or in unfolding.model"
        )
    return load_model(model, process, view, device)
