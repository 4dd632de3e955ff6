"""The progressively grown GAN equals the GAN zoo's; its checkpoints and stored generators are read safely."""

import hashlib
import json
import os
import pickle
import re
import shutil
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors.torch import load, save, save_file
from torch.nn import functional

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.generators import load_discriminator, load_generator, load_zoo, network_bytes, save_network
from lipdip.generators.zoo import BaseConfig
from lipdip.networks.pggan import Discriminator, Generator
from lipdip.networks.pggan_layers import Equalized, minibatch_std, pixel_norm
from lipdip.tickets.scope import ends, layers, prunable

DATA = Path(__file__).parent / "data"
ZOO = DATA / "pggan_zoo_checkpoint.pth"


def _seeded(kind, *arguments, **settings):
    with default_generator_seeded(0, "init"):
        return kind(*arguments, **settings)


def _raw() -> dict:
    with torch.serialization.safe_globals([BaseConfig]):
        return torch.load(ZOO, weights_only=True)


def _picture_codes(count: int = 3) -> torch.Tensor:
    return torch.randn(count, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def changed(tmp_path, monkeypatch) -> Callable[..., Path]:
    """The zoo's checkpoint with other entries, or another config, as torch wrote it then or now."""
    zoo = ModuleType("models.utils.config")
    zoo.BaseConfig = BaseConfig  # so that the pickler finds it where it says it is
    for name, module in (("models", ModuleType("models")), ("models.utils", ModuleType("utils")), (zoo.__name__, zoo)):
        monkeypatch.setitem(sys.modules, name, module)

    def write(config: dict | None = None, legacy: bool = False, **entries: object) -> Path:
        content = _raw()
        vars(content["config"]).update(config or {})
        for name in [name for name, value in vars(content["config"]).items() if value is ...]:
            delattr(content["config"], name)
        torch.save(content | entries, tmp_path / "zoo.pth", _use_new_zipfile_serialization=not legacy)
        return tmp_path / "zoo.pth"

    return write


def _zoo_refusal(path: Path) -> str:
    return _refusal(load_zoo, path)


def _refusal(read: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message and message.isprintable() and len(message) < 400
    return message


# The networks


def test_networks_equal_the_zoos(reference):
    """Float32 of any two machines differs by 1.3e-5 here, since pixel norm enlarges rounding; float64 tells."""
    arrays = reference("pggan_zoo_outputs")
    zoo = load_zoo(ZOO)
    for network, name in ((zoo.average, "avgG"), (zoo.generator, "netG")):
        torch.testing.assert_close(network(arrays["z"]), arrays[f"image_{name}"], atol=5e-5, rtol=0)
        exact = network.double()(arrays["z"].double()).float()
        torch.testing.assert_close(exact, arrays[f"image_{name}"], atol=1e-5, rtol=0)
    score = zoo.discriminator(arrays["image_avgG"])
    torch.testing.assert_close(score, arrays["score_netD_on_avgG"], atol=1e-5, rtol=0)


def test_names_and_their_order_are_the_zoos_and_load_strictly():
    raw = _raw()
    for network, name in ((Generator(16, (12, 10, 6)), "netG"), (Discriminator((12, 10, 6)), "netD")):
        assert list(network.state_dict()) == list(raw[name])
        network.load_state_dict(raw[name], strict=True)


def test_the_defaults_are_the_zoos_256_pixel_networks():
    with torch.device("meta"):
        generator, discriminator = Generator(), Discriminator()
        assert generator(torch.randn(2, 512)).shape == (2, 3, 256, 256)
    assert generator.size == discriminator.size == 256
    assert sum(parameter.numel() for parameter in generator.parameters()) == 23_051_989


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_a_new_scale_fades_in(alpha):
    network = _seeded(Generator, 16, (8, 6))
    codes = _picture_codes()
    with torch.no_grad():
        old = functional.interpolate(network(codes), scale_factor=2)
        network.add_scale(5)
        torch.testing.assert_close(network(codes), old, atol=1e-6, rtol=0)
        network.alpha = 1
        new = network(codes)
        network.alpha = alpha
        torch.testing.assert_close(network(codes), (1 - alpha) * old + alpha * new, atol=1e-6, rtol=0)
    assert network.size == 16 and (new - old).abs().max() > 0.1


@pytest.mark.parametrize("scales", [(8,), (8, 6)])
def test_a_new_scale_of_the_discriminator_fades_in(scales):
    network = _seeded(Discriminator, scales)
    pictures = torch.rand(4, 3, 2 * network.size, 2 * network.size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        old = network(functional.avg_pool2d(pictures, 2))
        network.add_scale(5)
        torch.testing.assert_close(network(pictures), old, atol=1e-6, rtol=0)
        network.alpha = 1
        assert (network(pictures) - old).abs().max() > 1e-3


@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_grown_and_built_whole_are_the_same_network(kind):
    """The same draws in the same order, too; and settings build it again."""
    with default_generator_seeded(0, "init"):
        grown = kind(channels=(8,), picture_channels=1)
        for channels in (6, 4):
            grown.add_scale(channels, alpha=0.5)
    whole = _seeded(kind, channels=(8, 6, 4), picture_channels=1, alpha=0.5)
    assert grown.settings == whole.settings == json.loads(json.dumps(whole.settings))
    assert kind(**grown.settings).settings == grown.settings
    for (name, one), (other_name, other) in zip(grown.state_dict().items(), whole.state_dict().items(), strict=True):
        assert name == other_name and torch.equal(one, other)


def test_a_network_grows_in_its_own_type():
    network = Generator(4, (3,)).double()
    network.add_scale(2)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float64}


def test_equalised_layers_draw_standard_normal_weights_and_scale_when_used():
    layer = _seeded(Equalized, torch.nn.Conv2d(50, 40, 3, padding=1), equalized=True, zero_bias=True)
    weight = layer.module.weight.detach()
    assert abs(float(weight.mean())) < 0.02 and abs(float(weight.std()) - 1) < 0.02 and not layer.module.bias.any()
    x = torch.rand(1, 50, 4, 4)
    expected = functional.conv2d(x, weight * (2 / (50 * 9)) ** 0.5, padding=1)
    torch.testing.assert_close(layer(x), expected, atol=1e-5, rtol=1e-5)
    plain = torch.nn.Linear(3, 2)
    before = plain.weight.clone()
    assert torch.equal(Equalized(plain, equalized=False, zero_bias=False).module.weight, before)
    assert plain.bias.any()


def test_pixel_norm_gives_unit_mean_square():
    normed = pixel_norm(5 * torch.randn(2, 7, 3, 3, generator=torch.Generator().manual_seed(0)))
    torch.testing.assert_close(normed.square().mean(1), torch.ones(2, 3, 3))


@pytest.mark.parametrize(("pictures", "groups"), [(1, []), (3, [3]), (4, [4]), (8, [4, 4]), (6, [6])])
def test_minibatch_std_is_one_number_for_each_group(pictures, groups):
    x = torch.randn(pictures, 5, 2, 3, generator=torch.Generator().manual_seed(0))
    out = minibatch_std(x)
    assert out.shape == (pictures, 6, 2, 3) and torch.equal(out[:, :5], x)
    start = 0
    for size in groups:
        expected = x[start : start + size].std(dim=0).mean()
        torch.testing.assert_close(out[start : start + size, 5], expected.expand(size, 2, 3))
        start += size
    assert start or not out[:, 5].any()


def test_a_discriminator_without_minibatch_std_judges_each_picture_alone():
    network = _seeded(Discriminator, (6, 4), minibatch_std=False, outputs=3)
    pictures = torch.rand(3, 3, 8, 8)
    torch.testing.assert_close(network(pictures)[:1], network(pictures[:1]))
    assert network(pictures).shape == (3, 3)


def test_tanh_and_no_pixel_norm_are_settings():
    codes = _picture_codes()
    network = _seeded(Generator, 16, (8, 6), activation="tanh")
    torch.testing.assert_close(network(codes), torch.tanh(network.logits(codes)))
    plain = _seeded(Generator, 16, (8, 6), pixel_norm=False)
    assert not torch.allclose(plain(codes), plain(2 * codes)) and torch.allclose(network(codes), network(2 * codes))


def test_convolutions_are_prunable_and_a_pruned_weight_does_nothing():
    network = _seeded(Generator, 16, (8, 6))
    assert list(prunable(network)) == [
        "scaleLayers.0.0.module.weight",
        "scaleLayers.0.1.module.weight",
        "toRGBLayers.0.module.weight",
        "toRGBLayers.1.module.weight",
        "groupScale0.0.module.weight",
    ]
    assert ends(network, _picture_codes()) == (set(), "toRGBLayers.1.module.weight")
    with torch.no_grad():
        for conv in layers(network).values():
            conv.weight.zero_()
        assert not network(_picture_codes()).any()


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Generator, {"latent": 0}, "latent must be a whole number"),
        (Generator, {"channels": ()}, "channels must be a list"),
        (Generator, {"channels": (8, 2.5)}, r"channels\[1\] must be a whole number"),
        (Generator, {"alpha": 1.5}, "alpha must be a number from 0 to 1"),
        (Generator, {"pixel_norm": 1}, "pixel_norm must be true or false"),
        (Generator, {"activation": "relu"}, "activation must be tanh or null"),
        (Discriminator, {"outputs": True}, "outputs must be a whole number"),
        (Discriminator, {"leak": float("nan")}, "leak must be a number"),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**{"channels": (4,), **settings})


# The zoo's checkpoints


def test_a_checkpoint_is_read_whole_and_moves_no_random_stream():
    before, allowed = torch.random.get_rng_state(), torch.serialization.get_safe_globals()
    zoo = load_zoo(ZOO)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert set(torch.serialization.get_safe_globals()) == set(allowed)
    assert zoo.digest == hashlib.sha256(ZOO.read_bytes()).hexdigest()
    assert zoo.config["depthOtherScales"] == [10, 6] and type(zoo.config) is dict
    assert zoo.generator.settings == zoo.average.settings == Generator(16, (12, 10, 6)).settings
    assert zoo.discriminator.settings == Discriminator((12, 10, 6)).settings
    for network, name in ((zoo.generator, "netG"), (zoo.average, "avgG"), (zoo.discriminator, "netD")):
        raw = _raw()[name]
        assert all(torch.equal(tensor, raw[key]) for key, tensor in network.state_dict().items())
        assert all(parameter.requires_grad for parameter in network.parameters())
    states = zip(zoo.generator.parameters(), zoo.average.parameters(), strict=True)
    assert not all(torch.equal(one, other) for one, other in states)


@pytest.mark.parametrize("rename", [lambda n: "module." + n, lambda n: n.replace(".module.", "."), None])
@pytest.mark.parametrize("legacy", [False, True])
def test_older_layouts_are_read_too(changed, reference, rename, legacy):
    """DataParallel's prefix, names before the zoo's ``Equalized``, and files of torch before 1.6."""
    raw = _raw()
    states = {part: raw[part] for part in ("netG", "avgG", "netD")}
    if rename:
        states = {part: OrderedDict((rename(k), v) for k, v in state.items()) for part, state in states.items()}
    zoo = load_zoo(changed(legacy=legacy, **states))
    arrays = reference("pggan_zoo_outputs")
    torch.testing.assert_close(zoo.average(arrays["z"]), arrays["image_avgG"], atol=5e-5, rtol=0)


def test_the_config_decides_on_fading_activation_and_classes(changed):
    zoo = load_zoo(changed({"alpha": 0.25, "lossCriterion": "DCGAN"}))
    assert zoo.generator.alpha == zoo.average.alpha == zoo.discriminator.alpha == 0.75
    assert zoo.generator.activation == "tanh"
    netD = _raw()["netD"]  # noqa: N806
    for name in ("decisionLayer.module.weight", "decisionLayer.module.bias"):
        netD[name] = netD[name].repeat_interleave(3, 0)
    assert load_zoo(changed({"categoryVectorDim": 2}, netD=netD)).discriminator.settings["outputs"] == 3


def test_the_digest_in_a_name_is_checked(tmp_path):
    good = tmp_path / "celeba_s6_i80000-b66e0256.pth"
    bad = tmp_path / "celeba_s6_i80000-6196db68.pth"
    for path in (good, bad):
        shutil.copy(ZOO, path)
    assert load_zoo(good).digest.startswith("b66e0256")
    assert "begins with b66e0256, not with the 6196db68 of its name; download it again" in _zoo_refusal(bad)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"depthScale0": ...}, "no 'depthScale0' in its config"),
        ({"alpha": ...}, "no 'alpha' in its config"),
        ({"depthScale0": "12"}, "must be a whole number"),
        ({"depthOtherScales": 6}, "depthOtherScales must be a list"),
        ({"depthOtherScales": [10, -6]}, "must be a whole number"),
        ({"latentVectorDim": 16.5}, "latent must be a whole number"),
        ({"equalizedlR": "yes"}, "equalized must be true or false"),
        ({"leakyReluLeak": None}, "leak must be a number"),
        ({"alpha": "much"}, "alpha must be a number"),
        ({"lossCriterion": "Hinge"}, "lossCriterion must be"),
        ({"categoryVectorDim": -1}, "categoryVectorDim must be"),
        ({"attribKeysOrder": torch.ones(2)}, "holds more than plain values"),
        ({"depthScale0": 10**6}, "netG: .* has shape"),
        ({"depthScale0": 10**40}, "netG: "),
        ({"depthOtherScales": [10, 7]}, "netG: .* has shape"),
        ({"depthOtherScales": [10]}, "netG: .* is in none of the layers"),
        ({"depthOtherScales": [10, 6, 6]}, "netG: .* is missing"),
        ({"miniBatchStdDev": False}, "netD: groupScaleZero.0.module.weight has shape"),
        ({"lossCriterion": 5000 * "x"}, "lossCriterion must be"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(changed, config, message):
    assert re.search(message, _zoo_refusal(changed(config)))


def test_tensors_that_are_none_are_refused(changed):
    name = "formatLayer.module.bias"
    for value in (
        torch.full((192,), torch.nan),
        torch.ones(192, dtype=torch.int64),
        torch.ones(1).expand(192),
        torch.ones(192).to_sparse(),
        "text",
    ):
        assert f"avgG: {name}" in _zoo_refusal(changed(avgG=_raw()["avgG"] | {name: value}))
    assert "netD: there is no table of tensors" in _zoo_refusal(changed(netD=[1]))
    assert "must hold config" in _zoo_refusal(_without_average(changed()))


def _without_average(path: Path) -> Path:
    with torch.serialization.safe_globals([BaseConfig]):
        content = torch.load(path, weights_only=True)
    torch.save({name: value for name, value in content.items() if name != "avgG"}, path)
    return path


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_bomb_is_refused_and_not_run(changed, tmp_path, legacy):
    mark = tmp_path / "boom"
    bomb = Bomb(mark)
    name = f"{os.system.__module__}.system"
    assert f"asks for {name}, which was not run" in _zoo_refusal(changed(legacy=legacy, netG=bomb))
    assert f"asks for {name}, which was not run" in _zoo_refusal(changed({"alpha": bomb}, legacy=legacy))
    path = tmp_path / "bare.pth"
    path.write_bytes(pickle.dumps(bomb))
    assert "looks like a bare pickle, and was not opened" in _zoo_refusal(path)
    path.write_bytes(pickle.dumps(bomb, protocol=0))
    assert "is not a checkpoint that torch wrote" in _zoo_refusal(path)
    path.write_bytes(b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + pickle.dumps(bomb, protocol=2))
    _zoo_refusal(path)
    assert not mark.exists()


def test_foreign_files_are_refused(tmp_path):
    path = tmp_path / "foreign.pth"
    assert "cannot read the checkpoint" in _zoo_refusal(path)
    assert "Is a directory" in _zoo_refusal(tmp_path)
    for content in (b"", b"\x80", b"GIF89a", save({"weight": torch.ones(2)})):
        path.write_bytes(content)
        assert "is not a checkpoint that torch wrote" in _zoo_refusal(path)
    for foreign in ({"weight": torch.ones(2)}, torch.ones(2), [1]):
        torch.save(foreign, path)
        assert "is not a GAN zoo checkpoint: it must hold config" in _zoo_refusal(path)
    torch.save(Generator(4, (3,)), path)
    assert "asks for lipdip.networks.pggan.Generator, which was not run" in _zoo_refusal(path)
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    assert "cut short or damaged" in _zoo_refusal(path)


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.99])
def test_a_checkpoint_cut_short_is_refused(changed, legacy, share):
    path = changed(legacy=legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert "cut short or damaged" in _zoo_refusal(path)


def test_an_archive_with_a_flipped_bit_is_refused(changed, tmp_path):
    """torch itself would load other weights."""
    path = changed()
    with zipfile.ZipFile(path) as archive:
        biggest = max(archive.infolist(), key=lambda one: one.file_size)
    content = bytearray(path.read_bytes())
    content[biggest.header_offset + 200 + biggest.file_size // 2] ^= 1
    path.write_bytes(content)
    assert "cut short or damaged" in _zoo_refusal(path)
    (tmp_path / "pipe.pth").unlink(missing_ok=True)
    os.mkfifo(tmp_path / "pipe.pth")
    assert "cannot read the checkpoint" in _zoo_refusal(tmp_path / "pipe.pth")


# Stored generators

NOTES = {"from": "pggan_zoo_checkpoint.pth", "part": "avgG", "scores": [1.5, None]}


def _written(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "g.safetensors"
    path.write_bytes(content)
    return path


def _forged(tmp_path: Path, **fields: object) -> Path:
    """A small stored generator with other header fields and a checksum that fits them."""
    content = network_bytes(_seeded(Generator, 4, (3,)))
    text = content[8 : 8 + int.from_bytes(content[:8], "little")]
    header = json.loads(json.loads(text)["__metadata__"]["lipdip.network"])
    header = {name: value for name, value in (header | fields).items() if name != "sha256"}
    header["sha256"] = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
    return _written(save(load(content), {"lipdip.network": json.dumps(header, sort_keys=True)}), tmp_path)


def test_a_stored_generator_comes_back(tmp_path):
    average = load_zoo(ZOO).average
    average.alpha = 0.5
    path = tmp_path / "g.safetensors"
    save_network(average, path, NOTES)
    before = torch.random.get_rng_state()
    stored = load_generator(path)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert stored.notes == NOTES and stored.generator.settings == average.settings and len(stored.digest) == 64
    assert torch.equal(stored.generator(_picture_codes()), average(_picture_codes()))
    assert network_bytes(stored.generator, stored.notes) == path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["g.safetensors"]


def test_a_discriminator_is_stored_too_and_taken_for_nothing_else(tmp_path):
    network = _seeded(Discriminator, (6, 4), minibatch_std=False)
    path = tmp_path / "d.safetensors"
    save_network(network, path)
    pictures = torch.rand(2, 3, 8, 8)
    assert torch.equal(load_discriminator(path)(pictures), network(pictures))
    assert "it holds 'lipdip.networks.Discriminator'" in _refusal(load_generator, path)


def test_float16_halves_the_file_and_is_read_as_float32(tmp_path):
    network = _seeded(Generator, 32, (24, 16))
    halved = network_bytes(network, dtype=torch.float16)
    assert len(halved) < 0.6 * len(network_bytes(network))
    stored = load_generator(_written(halved, tmp_path)).generator
    for name, tensor in network.state_dict().items():
        assert torch.equal(stored.state_dict()[name], tensor.half().float())


def test_what_cannot_be_stored_is_refused(tmp_path):
    network = Generator(4, (3,))
    with pytest.raises(ValueError, match=r"must be torch\.float16"):
        network_bytes(network, dtype=torch.bfloat16)
    with pytest.raises(ValueError, match="a Linear cannot be stored"):
        network_bytes(torch.nn.Linear(2, 2))
    with pytest.raises(ValueError, match="not plain values"):
        network_bytes(network, {"path": tmp_path})
    with torch.no_grad():
        network.formatLayer.module.bias[0] = 1e6
    with pytest.raises(ValueError, match=r"formatLayer\.module\.bias holds values that are not finite"):
        network_bytes(network, dtype=torch.float16)
    assert "cannot write" in _refusal(lambda path: save_network(network, path), tmp_path / "none" / "g.safetensors")


def test_any_flipped_bit_of_a_stored_generator_is_noticed(tmp_path):
    network = _seeded(Generator, 2, (1,))
    content = network_bytes(network)
    codes = torch.randn(2, 2)
    harmless = 0
    for where in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[where] ^= 1 << where % 8
        try:
            stored = load_generator(_written(bytes(damaged), tmp_path)).generator
        except UserError as error:
            assert "\n" not in str(error)
            continue
        harmless += 1
        assert torch.equal(stored(codes), network(codes))
    assert harmless <= 1


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_stored_generator_cut_short_is_refused(tmp_path, share):
    content = network_bytes(Generator(4, (3,)))
    refusal = _refusal(load_generator, _written(content[: int(share * len(content))], tmp_path))
    assert any(
        words in refusal for words in ("cut short or damaged", "is damaged", "is not a network that lipdip stored")
    )
    assert "is damaged" in _refusal(load_generator, _written(content + b"\0", tmp_path))


def test_other_files_are_no_stored_generators(tmp_path):
    path = tmp_path / "g.safetensors"
    assert "cannot read the generator" in _refusal(load_generator, path)
    for content in (b"", pickle.dumps(Bomb(tmp_path / "boom")), ZOO.read_bytes()):
        assert "is not a network that lipdip stored" in _refusal(load_generator, _written(content, tmp_path))
    for metadata in (None, {"lipdip.ticket": "{}"}, {"lipdip.network": "[]"}):
        save_file({"weight": torch.ones(2)}, path, metadata)
        assert "is a safetensors file, but not a network that lipdip stored" in _refusal(load_generator, path)
    for text in ("", "no JSON", "{}", 5000 * "["):
        save_file({"weight": torch.ones(2)}, path, {"lipdip.network": text})
        assert "damaged" in _refusal(load_generator, path)
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"format": 2}, "has generator format 2; this lipdip reads format 1"),
        ({"format": "1"}, "is damaged"),
        ({"tensors": {}}, "is damaged"),
        ({"target": "os.system"}, "is not a valid generator: it holds 'os.system'"),
        ({"notes": 3}, "not a table"),
        ({"settings": {"latent": 4, "channels": [3], "colour": 1}}, "unexpected keyword"),
        ({"settings": {"latent": 10**15, "channels": [3]}}, "has shape"),
        ({"settings": {"latent": 4, "channels": [3, 3]}}, "is missing"),
    ],
)
def test_forged_headers_are_refused(tmp_path, fields, message):
    assert message in _refusal(load_generator, _forged(tmp_path, **fields))
    assert load_generator(_forged(tmp_path)).generator.latent == 4
