"""The optimizer: it reaches the minimum of a badly conditioned problem sooner than Adam, and can be continued."""

import torch

from partonic.generation.channels.soap import Soap


def problem() -> tuple[torch.Tensor, torch.Tensor, torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(4)
    inputs = torch.randn((200, 8), generator=generator) @ torch.randn((8, 8), generator=generator)
    matrix = torch.randn((8, 4), generator=generator)
    return inputs, inputs @ matrix, torch.nn.Parameter(torch.zeros(8, 4))


def test_beats_adam_on_a_bad_condition() -> None:
    losses = {}
    for name in ("soap", "adam"):
        inputs, outputs, weight = problem()
        soap, adam = Soap([weight], 0.02), torch.optim.Adam([weight], lr=0.02)
        for _ in range(400):
            soap.zero_grad()
            loss = (inputs @ weight - outputs).square().mean()
            loss.backward()
            (soap if name == "soap" else adam).step()
        losses[name] = float(loss)
    assert losses["soap"] < 0.5 * losses["adam"]


def test_continues_from_its_state() -> None:
    def run(stop: int | None) -> torch.Tensor:
        inputs, outputs, weight = problem()
        optimizer = Soap([weight], 0.05)
        for step in range(30):
            if step == stop:
                state = {name: tensor.clone() for name, tensor in optimizer.state().items()}
                optimizer = Soap([weight], 0.05)
                optimizer.restore(state)
            optimizer.zero_grad()
            (inputs @ weight - outputs).square().mean().backward()
            optimizer.step()
        return weight.detach()

    assert torch.equal(run(None), run(13))
