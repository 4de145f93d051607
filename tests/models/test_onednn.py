"""Packed nets answer as the nets do that they were made of, and leave those as they were."""

import numpy as np
import pytest
import torch
from torch import nn

from kpdemo.media import images
from kpdemo.models import checkpoint, model_folder
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.device import precision
from kpdemo.models.face_crops import crop_faces
from kpdemo.models.onednn import PackedConv, Projection, helps, pack
from kpdemo.models.predict import predict
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

pytestmark = pytest.mark.skipif(
    not torch.backends.cpu.get_cpu_capability().startswith("AVX"), reason="needs an x86 processor"
)


def pictures(model: Model, count: int) -> torch.Tensor:
    size = model.config.input
    noise = torch.randn(count, size.channels, size.height, size.width)
    return noise.contiguous(memory_format=torch.channels_last)


def shipped() -> list[str]:
    """Models of the copy under test that hold weights."""
    return sorted(path.parent.name for path in WEIGHTS_DIR.glob(f"*/{model_folder.WEIGHTS}"))


@pytest.mark.parametrize("name", shipped())
@torch.inference_mode()
def test_it_answers_as_the_net_does(name: str) -> None:
    model = checkpoint.load(WEIGHTS_DIR / name)
    packed = pack(model.net, pictures(model, 2))
    for count in (2, 1, 6):
        seen = pictures(model, count)
        expected, output = model.net(seen), packed(seen)
        if model.config.args.get("decoding") == "argmax":
            # Rounding may make another cell the highest.
            torch.testing.assert_close(output.heatmaps, expected.heatmaps, rtol=1e-3, atol=1e-4)
            continue
        torch.testing.assert_close(output.keypoints, expected.keypoints, rtol=0, atol=1e-4)
        if expected.heatmaps is not None:
            torch.testing.assert_close(output.heatmaps, expected.heatmaps, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", DEFAULT_MODELS)
@torch.inference_mode()
def test_in_bf16_it_is_no_less_exact_than_autocast(name, finder, hopper, astronaut) -> None:
    model = checkpoint.load(WEIGHTS_DIR / name)
    size = model.config.input
    cuts = [
        crop_faces(model.config, images.from_array(photo), finder.find(photo)).pixels
        for photo in (hopper, astronaut)
    ]
    faces = torch.from_numpy(np.concatenate(cuts)).reshape(
        -1, size.height, size.width, size.channels
    )
    seen = normalise(faces.permute(0, 3, 1, 2), size)
    packed = pack(model.net, seen, torch.bfloat16)
    expected = model.net(seen).keypoints
    with torch.autocast("cpu", torch.bfloat16):
        errors = [(net(seen).keypoints - expected).norm(dim=-1) for net in (packed, model.net)]
    assert errors[0].mean() < 1.3 * errors[1].mean()
    assert errors[0].max() < 4e-3


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_no_convolution_and_no_batch_norm_is_left(name: str) -> None:
    model = checkpoint.load(WEIGHTS_DIR / name)
    before = {key: value.clone() for key, value in model.net.state_dict().items()}
    modules = [type(module) for module in model.net.modules()]
    packed = pack(model.net, pictures(model, 2))
    assert not any(isinstance(m, nn.Conv2d | nn.BatchNorm2d) for m in packed.modules())
    convolutions = [m for m in packed.modules() if isinstance(m, PackedConv | Projection)]
    assert len(convolutions) == modules.count(nn.Conv2d)
    assert [type(module) for module in model.net.modules()] == modules
    after = model.net.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_a_batch_norm_elsewhere_stays() -> None:
    """Only what takes a convolution's very output can be folded into it."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 5, 1)).eval()
    net[2].running_mean.uniform_()
    seen = torch.randn(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    packed = pack(net, seen)
    assert isinstance(packed[2], nn.BatchNorm2d)
    with torch.inference_mode():
        torch.testing.assert_close(packed(seen), net(seen))


def test_predictions_are_those_of_the_plain_net(monkeypatch: pytest.MonkeyPatch) -> None:
    model = checkpoint.load(WEIGHTS_DIR / "unet")
    size = model.config.input
    cuts = np.random.default_rng(0).integers(0, 256, (3, size.height, size.width), np.uint8)
    fast = predict(model, cuts, heatmaps=True)
    monkeypatch.setattr(Model, "inference_net", property(lambda self: self.net))
    plain = predict(model, cuts, heatmaps=True)
    assert model.inference_net is model.net
    rounding = 100 if precision(model.device) == torch.bfloat16 else 1
    np.testing.assert_allclose(fast.keypoints, plain.keypoints, atol=rounding * 1e-4)
    np.testing.assert_allclose(fast.confidence, plain.confidence, atol=rounding * 1e-3)
    np.testing.assert_allclose(fast.heatmaps, plain.heatmaps, atol=rounding * 1e-4)


def test_elsewhere_the_plain_net_answers() -> None:
    assert not helps(torch.device("cuda"))
    assert not helps(torch.device("mps"))
