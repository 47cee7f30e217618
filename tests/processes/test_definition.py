"""What every process of the package must hold, whichever it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from partonic.config import AnalysisConfig
from partonic.config.template import analysis_template
from partonic.generation.lhe_particles import event_layout
from partonic.process_registry import find_process, process_names
from partonic.processes.definition import ProcessDefinition, definition_of, parameter_labels, standard_model

every_process = pytest.mark.parametrize("name", process_names())


@every_process
def test_definition_is_complete(name: str) -> None:
    definition = find_process(name)
    assert isinstance(definition, ProcessDefinition)
    settings = definition.settings()
    assert settings.name == name
    assert definition_of(settings) is definition
    assert definition.title
    assert len(definition.summary) > 100
    for parameter in definition.parameters(settings):
        assert parameter.name.isidentifier()
        assert len(parameter.description) > 10
        assert parameter.sensible[0] <= parameter.standard_model <= parameter.sensible[1]
        assert parameter_labels()[parameter.name] == parameter.label
    assert definition.monomials(settings).parameters == tuple(p.name for p in definition.parameters(settings))


@every_process
def test_decay_tree_is_of_the_final_state(name: str) -> None:
    definition = find_process(name)
    settings = definition.settings()
    final_state, tree = definition.final_state(settings), definition.decay_tree(settings)
    assert len({resonance.name for resonance in tree.resonances}) == len(tree.resonances)
    assert len({particle.name for particle in final_state}) == len(final_state)
    for resonance in tree.resonances:
        assert all(0 <= slot < len(final_state) for slot in resonance.slots)
        if resonance.decayed_by == "shower":
            assert len(resonance.slots) == 1
            assert final_state[resonance.slots[0]].pdg_id in resonance.pdg_ids
        else:
            assert len(resonance.slots) > 1
    assert all(0 <= slot < len(final_state) for pair in tree.exchanges for slot in pair)


@every_process
def test_final_states_and_decay_tree_are_those_of_the_channels(name: str) -> None:
    definition = find_process(name)
    settings = definition.settings()
    final_states, tree = definition.final_states(settings), definition.decay_tree(settings)
    assert final_states[0] == tuple(particle.pdg_id for particle in definition.final_state(settings))
    assert all(one.pdg_among(state) in one.pdg_ids for one in tree.resonances for state in final_states)
    if definition.packages or not definition.has_matrix_element:
        return  # made by an external generator, which its own tests run; or there is none
    process = definition.build(settings)
    assert {channel.final_pdg(process.final_state) for channel in process.channels} == set(final_states)
    for channel in process.channels:
        for flow in range(len(channel.colour_flows)):
            layout = event_layout(channel, process.final_state, tree, flow)
            assert layout.pdg_ids[2 + len(tree.of_matrix_element) :] == channel.final_pdg(process.final_state)


@every_process
def test_defaults_and_examples_are_valid(name: str, repository: Path) -> None:
    definition = find_process(name)
    own = {} if definition.has_matrix_element else {"import": {"format": "lhe", "files": ["e.lhe"]}}
    config = AnalysisConfig.model_validate({"name": "a", "process": {"name": name}, **own})
    for section, values in definition.defaults.items():
        assert section in type(config).model_fields, f"the section is {section}, with {values}"
    assert definition.decay_channels
    for example in definition.examples:
        assert (repository / "examples" / example).is_file(), example
    if definition.has_matrix_element:
        for channel in definition.decay_channels:
            assert analysis_template(name, channel).text


@every_process
def test_definition_loads_nothing_heavy(name: str) -> None:
    code = (
        "import sys\nfrom partonic.process_registry import find_process\n"
        f"definition = find_process('{name}')\nsettings = definition.settings()\n"
        "definition.parameters(settings), definition.decay_tree(settings)\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "numpy", "pyarrow", "pythia8mc"} & set(loaded)


def test_the_standard_model_of_processes():
    assert standard_model("thq") == {"kappa_e": 1.0}
    assert standard_model("tth") == {}
    assert standard_model("a sample from elsewhere") == {}
