"""Both networks equal the authors' public ones."""

import pytest
import torch
from torch import nn

from lipdip.networks import DeepDecoder, Hourglass
from lipdip.tickets.scope import prunable


def _set(network: nn.Module, arrays: dict[str, torch.Tensor]) -> None:
    """Parameters in the public module's order are ours in our order."""
    values = [value for name, value in arrays.items() if name.startswith("param")]
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), values, strict=True):
            parameter.copy_(value)


def test_hourglass_equals_the_public_one_in_output_loss_and_gradients(reference):
    arrays = reference("hourglass")
    network = Hourglass(3, channels=12, scales=3, skip_channels=4, code_channels=8)
    _set(network, arrays)
    output = network(arrays["z"])
    loss = (output - arrays["target"]).square().mean()
    loss.backward()
    torch.testing.assert_close(output, arrays["output"], atol=1e-5, rtol=0)
    torch.testing.assert_close(loss.detach(), arrays["loss"], atol=1e-5, rtol=0)
    gradients = [value for name, value in arrays.items() if name.startswith("grad:")]
    for weight, gradient in zip(prunable(network).values(), gradients, strict=True):
        torch.testing.assert_close(weight.grad, gradient, atol=1e-5, rtol=0)


def test_deep_decoder_equals_the_public_one(reference):
    arrays = reference("deep_decoder")
    network = DeepDecoder(3, channels=16, scales=3)
    _set(network, arrays)
    torch.testing.assert_close(network(arrays["z"]), arrays["output"], atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("network", "parameters", "weights"),
    [
        (Hourglass(), 2_217_831, 2_208_768),
        (DeepDecoder(channels=128), 100_224, 98_688),
        (DeepDecoder(channels=320), 619_200, 615_360),
    ],
)
def test_parameter_counts_are_the_published_ones(network, parameters, weights):
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert sum(weight.numel() for weight in prunable(network).values()) == weights


@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_hourglass_gives_a_picture_of_the_codes_size_in_0_to_1(size):
    network = Hourglass(1, channels=4, scales=2, skip_channels=0, code_channels=3)
    output = network(torch.rand(1, *network.code_shape(*size)))
    assert output.shape == (1, 1, *size)
    assert 0 < output.min() <= output.max() < 1


def test_networks_refuse_pictures_that_do_not_fit():
    with pytest.raises(ValueError, match="too small for scales=5: both sides must be more than 32"):
        Hourglass().code_shape(32, 64)
    with pytest.raises(ValueError, match="multiples of 32"):
        DeepDecoder().code_shape(48, 64)
    with pytest.raises(ValueError, match="channels must be a whole number"):
        Hourglass(channels=0)
