from dataclasses import replace

import pytest
import torch

from partonic.config.unfolding import ProvenanceConfig
from partonic.events.batch import RecoEvents
from partonic.features.inputs import event_tokens
from partonic.unfolding.provenance.joint import log_partition
from partonic.unfolding.provenance.kinematics import EventKinematics
from partonic.unfolding.provenance.losses import provenance_losses
from partonic.unfolding.provenance.network import AssignmentNetwork
from partonic.unfolding.provenance.truth import AssignmentTruth

TINY = ProvenanceConfig(width=8, layers=2, target_layers=1, heads=2, feedforward=16)


def reco_events(jets, generator, slots=8):
    """Random events with the given numbers of jets."""
    count = len(jets)
    mask = torch.arange(slots) < torch.tensor(jets)[:, None]
    uniform = torch.rand(count, slots, 5, generator=generator)
    low = torch.tensor([30.0, -2.4, -3.1, 2.0, 0.0])
    high = torch.tensor([300.0, 2.4, 3.1, 20.0, 1.0])
    features = torch.where(mask[..., None], low + (high - low) * uniform, 0.0)
    tagged = mask & (uniform[..., 4] > 0.5)
    lepton = torch.tensor([60.0, 1.2, 0.7, 0.1, 0.0]) * (0.5 + torch.rand(count, 1, 5, generator=generator))
    return RecoEvents(
        jets=torch.cat([features[..., :4], tagged[..., None].float()], dim=-1),
        jet_tagged=tagged,
        jet_mask=mask,
        leptons=lepton,
        lepton_pdg=torch.full((count, 1), -11),
        lepton_mask=torch.ones(count, 1, dtype=torch.bool),
        met=torch.tensor([[50.0, 1.0]]) * (0.5 + torch.rand(count, 2, generator=generator)),
    )


@pytest.fixture
def network(seed):
    torch.manual_seed(seed)
    return AssignmentNetwork(TINY).double().eval()


@pytest.fixture
def tokens(torch_rng):
    return as_double(event_tokens(reco_events([6, 4, 8, 5, 7, 1, 0, 3], torch_rng)))


def as_double(tokens):
    names = ("jets", "lepton", "met", "boost")
    return replace(tokens, **{name: getattr(tokens, name).double() for name in names})


def in_other_slots(tokens, order):
    return replace(tokens, jets=tokens.jets[:, order], jet_mask=tokens.jet_mask[:, order])


def test_probabilities_sum_to_one(network, tokens):
    prediction = network(tokens)
    torch.testing.assert_close(prediction.origin.exp().sum(dim=-1), torch.ones(8, 8).double())


def test_only_real_jets_are_candidates(network, tokens):
    prediction = network(tokens)
    table = prediction.scores.table
    for target, scores in enumerate(prediction.scores.of_targets):
        assert torch.equal(scores > -torch.inf, table.real(target, tokens.jet_mask))


def test_order_of_jets_means_nothing(network, tokens, torch_rng):
    """Jets and padding in other slots: the same probabilities, in those slots."""
    order = torch.randperm(8, generator=torch_rng)
    first, second = network(tokens), network(in_other_slots(tokens, order))
    table = first.scores.table
    torch.testing.assert_close(second.origin[:, torch.argsort(order)][tokens.jet_mask], first.origin[tokens.jet_mask])
    torch.testing.assert_close(second.scores.missing, first.scores.missing)
    for target, (mine, theirs) in enumerate(zip(first.scores.of_targets, second.scores.of_targets, strict=True)):
        number = table.lookup[target][order[table.jets[target]].unbind(dim=1)]
        torch.testing.assert_close(theirs, mine[:, number])


def test_assignment_follows_the_jets(network, tokens, torch_rng):
    order = torch.randperm(8, generator=torch_rng)
    table = network(tokens).scores.table
    second = network.assign(in_other_slots(tokens, order), as_many_as_possible=True)
    back = torch.where(second >= 0, order[second.clamp(min=0)], -1)
    assert torch.equal(table.numbers(back), table.numbers(network.assign(tokens, as_many_as_possible=True)))


def test_scores_of_like_jets_are_symmetric(network, tokens):
    """The network's own formula, with the two jets of H and of W given in both orders."""
    kinematics = EventKinematics(tokens)
    events = torch.tensor([0, 2, 4])
    jets = torch.tensor([[0, 3, 1], [5, 2, 7], [6, 0, 4]])
    exchanged = jets[:, [0, 2, 1]]
    torch.testing.assert_close(kinematics.triples(events, jets), kinematics.triples(events, exchanged), rtol=0, atol=0)
    pairs = jets[:, 1:]
    torch.testing.assert_close(
        kinematics.pairs(events, pairs), kinematics.pairs(events, pairs.flip(1)), rtol=0, atol=1e-14
    )
    x = torch.randn(8, 8, TINY.width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    swapped = x.clone()
    swapped[:, 0], swapped[:, 3] = x[:, 3], x[:, 0]
    momenta = kinematics.jets.clone()
    momenta[:, 0], momenta[:, 3] = kinematics.jets[:, 3], kinematics.jets[:, 0]
    mask = torch.ones(8, 8, dtype=torch.bool)
    table = network(tokens).scores.table
    pair, triple = table.lookup[0][0, 3], table.lookup[1][6, 0, 3]
    plain = network._pair_scores(x, mask, kinematics)[:, pair], network._triple_scores(x, mask, kinematics)[:, triple]
    kinematics.jets = momenta
    other = (
        network._pair_scores(swapped, mask, kinematics)[:, pair],
        network._triple_scores(swapped, mask, kinematics)[:, triple],
    )
    torch.testing.assert_close(other, plain, rtol=0, atol=1e-13)


def test_b_of_the_top_is_not_like_a_jet_of_the_w(network, tokens):
    scores, table = network(tokens).scores.hadronic_top[2], network(tokens).scores.table
    first, second = table.lookup[1][0, 1, 2], table.lookup[1][1, 0, 2]
    assert (scores[first] - scores[second]).abs() > 1e-6


def test_padding_changes_nothing(network, tokens):
    """More slots, with anything in them; and each event alone."""
    noise = torch.full((8, 3, 6), 7.0, dtype=torch.float64)
    padded = replace(
        tokens,
        jets=torch.cat([tokens.jets, noise], dim=1),
        jet_mask=torch.nn.functional.pad(tokens.jet_mask, (0, 3)),
    )
    first, second = network.jet_probabilities(tokens), network.jet_probabilities(padded)
    assert second.shape == (8, 11, 3)
    torch.testing.assert_close(second[:, :8], first)
    assert (second[:, 8:] == 0).all()
    assert torch.equal(network.assign(padded), network.assign(tokens))


def test_jet_probabilities(network, tokens):
    probabilities = network.jet_probabilities(tokens)
    assert not probabilities.requires_grad
    assert (probabilities[~tokens.jet_mask] == 0).all()
    assert (probabilities[tokens.jet_mask] > 0).all()
    assert (probabilities.sum(dim=-1) < 1).all()
    torch.testing.assert_close(probabilities[tokens.jet_mask], network(tokens).origin[tokens.jet_mask][:, 1:].exp())


def test_no_event(network, tokens):
    none = slice(0, 0)
    empty = replace(
        tokens,
        jets=tokens.jets[none],
        jet_mask=tokens.jet_mask[none],
        lepton=tokens.lepton[none],
        met=tokens.met[none],
        boost=tokens.boost[none],
    )
    assert network.jet_probabilities(empty).shape == (0, 8, 3)
    assert network.assign(empty).shape == (0, 6)


def random_truth(generator):
    """Complete and incomplete targets for events of at least 6 jets, provenance at random."""
    assignment = torch.stack([torch.randperm(6, generator=generator) for _ in range(8)])
    for slots in (slice(0, 2), slice(2, 5), slice(5, 6)):
        lost = torch.rand(8, 1, generator=generator) < 0.4
        assignment[:, slots] = torch.where(lost, -1, assignment[:, slots])
    return AssignmentTruth(assignment, torch.randint(0, 4, (8, 8), generator=generator))


@pytest.fixture
def full_tokens(torch_rng):
    return as_double(event_tokens(reco_events([6, 6, 8, 7, 7, 6, 8, 6], torch_rng)))


def test_losses_are_those_of_the_definition(network, full_tokens, torch_rng):
    truth = random_truth(torch_rng)
    losses = network.losses(full_tokens, truth)
    prediction = network(full_tokens)
    lookup = prediction.scores.table.lookup
    expected = []
    for event, row in enumerate(truth.assignment.tolist()):
        value = -log_partition(prediction.scores)[event].item()
        for target, part in enumerate((row[:2], row[2:5], row[5:])):
            if part[0] < 0:
                value += prediction.scores.missing[event, target].item()
            else:
                value += prediction.scores.of_targets[target][event][lookup[target][tuple(part)]].item()
        expected.append(-value)
    assert losses["assignment"].item() == pytest.approx(sum(expected) / 8)
    jets = [
        -prediction.origin[event, jet, truth.provenance[event, jet]].item()
        for event, jet in torch.nonzero(full_tokens.jet_mask).tolist()
    ]
    assert losses["jets"].item() == pytest.approx(sum(jets) / len(jets))
    assert losses["total"].item() == pytest.approx(losses["assignment"].item() + losses["jets"].item())


def test_every_weight_learns(network, full_tokens, torch_rng):
    network.train()
    network.losses(full_tokens, random_truth(torch_rng))["total"].backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert (parameter.grad != 0).any(), name


def test_truth_beyond_the_jets_looked_at_is_missing(network, full_tokens):
    """An event whose H needs the ninth jet, which the tokens do not have."""
    provenance = torch.zeros(8, 10, dtype=torch.long)
    beyond, missing = torch.tensor([[0, 8, -1, -1, -1, 2]]), torch.tensor([[-1, -1, -1, -1, -1, 2]])
    prediction = network(full_tokens)
    first = provenance_losses(prediction, AssignmentTruth(beyond.expand(8, 6), provenance))
    assert first == provenance_losses(prediction, AssignmentTruth(missing.expand(8, 6), provenance))


def test_same_seed_same_network(tokens):
    def build():
        torch.manual_seed(5)
        return AssignmentNetwork(TINY).double().jet_probabilities(tokens)

    assert torch.equal(build(), build())


def toy(count, generator):
    """Events whose truth can be read off the jets: pT tells the role of a jet, one of six is sometimes lost."""
    reco = reco_events([6] * count, generator, slots=6)
    role = torch.argsort(torch.rand(count, 6, generator=generator), dim=1)
    pt = 40.0 * 1.5 ** role.float()
    lost = torch.rand(count, generator=generator) < 0.3
    pt = torch.where((role == 0) & lost[:, None], 20.0, pt)
    reco = replace(reco, jets=torch.cat([pt[..., None], reco.jets[..., 1:]], dim=-1))
    place = torch.argsort(role, dim=1)
    assignment = torch.cat([place[:, :2].sort(1).values, place[:, 2:3], place[:, 3:5].sort(1).values, place[:, 5:]], 1)
    assignment[:, :2] = torch.where(lost[:, None], -1, assignment[:, :2])
    provenance = torch.tensor([1, 1, 2, 2, 2, 3])[role]
    return event_tokens(reco), AssignmentTruth(assignment, torch.where((role == 0) & lost[:, None], 0, provenance))


def test_learns_what_can_be_learnt(torch_rng, seed):
    torch.manual_seed(seed)
    network = AssignmentNetwork(ProvenanceConfig(width=16, layers=1, target_layers=1, heads=2, feedforward=32))
    network.fit_scales(toy(512, torch_rng)[0])
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=500)
    for _ in range(500):  # fewer leave most seeds where a lost jet is never said to be missing
        tokens, truth = toy(64, torch_rng)
        optimizer.zero_grad()
        network.losses(tokens, truth)["total"].backward()
        optimizer.step()
        schedule.step()
    network.eval()
    fresh, truth = toy(256, torch_rng)
    right = (network.assign(fresh) == truth.assignment).all(dim=1).float().mean()
    assert right > 0.95
    origin = network(fresh).origin.argmax(dim=-1)
    assert (origin == truth.provenance).float().mean() > 0.9
