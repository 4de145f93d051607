from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchvision.models import resnet18

from kpdemo.models import checkpoint, model_folder, nets
from kpdemo.models.config import ConfigError, Input, ModelConfig
from kpdemo.models.nets.heatmaps import cell_centres, centroid, peak
from kpdemo.models.nets.resnet18 import backbone_weights
from train import recipe

# Settings that no shipped recipe has to use, so that they work for the next one.
MORE = {
    "unet, argmax": ModelConfig(
        "unet", "kaggle-15", Input(32, 48), args={"base": 4, "depth": 2, "decoding": "argmax"}
    ),
    "unet, odd": ModelConfig("unet", "kaggle-15", Input(37, 51), args={"base": 4, "depth": 3}),
    "unet, odd and halved": ModelConfig(
        "unet", "nose-1", Input(35, 33, 3), args={"base": 4, "depth": 2, "stride": 2}
    ),
    "resnet18, pooled RGB": ModelConfig("resnet18", "kaggle-15", Input(64, 48, 3)),
    "resnet18, odd": ModelConfig("resnet18", "nose-1", Input(50, 70), args={"head": "flat"}),
    "resnet18, odd pyramid": ModelConfig(
        "resnet18", "nose-1", Input(70, 50), args={"head": "pyramid"}
    ),
    "keypoint-resnet, pooled": ModelConfig(
        "keypoint-resnet", "kaggle-15", Input(32, 32), args={"stages": [4, 8], "blocks": 1}
    ),
    "keypoint-resnet, odd": ModelConfig(
        "keypoint-resnet", "nose-1", Input(33, 41), args={"stages": [4, 8, 8], "head": "flat"}
    ),
    "keypoint-resnet, odd pyramid": ModelConfig(
        "keypoint-resnet", "nose-1", Input(41, 33), args={"stages": [4, 8], "head": "pyramid"}
    ),
    "simplenet, all settings": ModelConfig(
        "simplenet",
        "imm-58",
        Input(45, 60),
        args={
            "blocks": [
                {"channels": 4, "kernel": 7, "padding": 0, "pool": 2},
                {"channels": 6, "norm": True, "pool": 3, "pool_stride": 2, "dropout": 0.2},
            ],
            "hidden": [12, 10],
            "activation": "leaky_relu",
            "dropout": 0.5,
            "xavier": True,
        },
    ),
}
CONFIGS = {name: recipe.load(name).config for name in recipe.names()} | MORE
each_config = pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def pictures(config: ModelConfig, count: int) -> torch.Tensor:
    size = config.input
    return torch.rand(count, size.channels, size.height, size.width)


def points(config: ModelConfig) -> int:
    return int(config.markup.split("-")[1])


def test_every_net_is_among_the_tested_ones() -> None:
    assert {config.net for config in CONFIGS.values()} == {
        "simplenet",
        "resnet18",
        "unet",
        "keypoint-resnet",
    }


@each_config
def test_answer_and_gradient(config: ModelConfig) -> None:
    net = nets.build(config)
    output = nets.Output(*net(pictures(config, 2)))
    assert output.keypoints.shape == (2, points(config), 2)
    assert output.keypoints.isfinite().all()
    loss = 0.0
    if output.heatmaps is not None:
        assert output.heatmaps.shape[:2] == (2, points(config))
        assert output.heatmaps.isfinite().all()
        loss = (output.heatmaps * torch.rand_like(output.heatmaps)).sum()
    if output.keypoints.requires_grad:
        loss = loss + (output.keypoints - torch.rand_like(output.keypoints)).square().sum()
    loss.backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    reached = [p.grad.abs().sum() > 0 for p in net.parameters()]
    assert sum(reached) > 0.9 * len(reached)


@each_config
def test_head_is_a_part_that_can_be_trained_alone(config: ModelConfig) -> None:
    net = nets.build(config)
    head, whole = (sum(p.numel() for p in part.parameters()) for part in (net.head, net))
    assert 0 < head < whole


@each_config
def test_faces_of_a_batch_do_not_see_each_other(config: ModelConfig) -> None:
    net = nets.build(config).eval()
    batch = pictures(config, 2)
    with torch.inference_mode():
        together = net(batch).keypoints
        alone = torch.cat([net(batch[:1]).keypoints, net(batch[1:]).keypoints])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(together[0], together[1], rtol=0, atol=1e-6)


@each_config
def test_a_saved_net_answers_as_before(config: ModelConfig, tmp_path: Path) -> None:
    net = nets.build(config)
    batch = pictures(config, 2)
    with torch.no_grad():
        for _ in range(3):
            net(batch)  # gives batch norm statistics that are not the initial ones
    checkpoint.save(tmp_path, net, config)
    loaded = checkpoint.load(tmp_path)
    assert loaded.config == config
    assert not loaded.net.training
    with torch.inference_mode():
        before, after = net.eval()(batch), loaded.net(batch)
    if before.heatmaps is None:
        spread = before.keypoints.std() + 0.05
        assert (after.keypoints - before.keypoints).abs().max() < 0.02 * spread
    else:
        assert (after.heatmaps - before.heatmaps).abs().max() < 0.01 * before.heatmaps.abs().max()
    # Half precision: two bytes a number.
    assert (tmp_path / model_folder.WEIGHTS).stat().st_size < 2.1 * loaded.parameters + 50_000


@each_config
def test_heatmaps_are_fine_enough_and_not_negative(config: ModelConfig) -> None:
    maps = nets.build(config).eval()(pictures(config, 1)).heatmaps
    if maps is not None:
        assert maps.shape[-1] >= config.input.width / 4
        assert maps.shape[-2] >= config.input.height / 4
        assert maps.min() >= 0
    else:
        assert config.net != "unet"


@pytest.mark.parametrize("place", [(0.0, 0.0), (0.31, -0.22), (-0.5, 0.44)])
def test_centroid_finds_a_planted_gaussian(place: tuple[float, float]) -> None:
    maps = gaussian(place, 48, 64)
    found = centroid(maps / maps.sum())[0, 0]
    torch.testing.assert_close(found, torch.tensor(place), rtol=0, atol=1e-3)


def test_centroid_keeps_its_precision_under_autocast() -> None:
    maps = gaussian((0.71, -0.43), 48, 64)
    with torch.autocast("cpu", torch.bfloat16):
        found = centroid(maps / maps.sum())[0, 0]
    torch.testing.assert_close(found, torch.tensor([0.71, -0.43]), rtol=0, atol=1e-3)


@pytest.mark.parametrize("dx", [-0.4, -0.2, 0.0, 0.2, 0.4])
@pytest.mark.parametrize("dy", [-0.3, 0.0, 0.3])
def test_peak_finds_a_planted_gaussian_within_a_quarter_cell(dx: float, dy: float) -> None:
    column, row, height, width = 11, 5, 24, 32
    place = ((2 * (column + dx) + 1) / width - 1, (2 * (row + dy) + 1) / height - 1)
    found = peak(gaussian(place, height, width, 1.5))[0, 0]
    off = (found - torch.tensor(place)).abs() * torch.tensor([width, height]) / 2
    assert off.max() <= 0.2501


def test_peak_of_every_map_is_its_own() -> None:
    maps = torch.zeros(2, 3, 8, 8)
    cells = {(0, 0): (0, 0), (0, 1): (7, 7), (0, 2): (3, 4), (1, 0): (7, 0), (1, 1): (1, 6)}
    for (b, k), (row, column) in cells.items():
        maps[b, k, row, column] = 1
    found = peak(maps)
    for (b, k), (row, column) in cells.items():
        expected = [(2 * column + 1) / 8 - 1, (2 * row + 1) / 8 - 1]
        assert found[b, k].tolist() == pytest.approx(expected)


def test_grey_stem_is_the_mean_of_the_rgb_one() -> None:
    whole = resnet18()
    state = whole.state_dict()
    config = ModelConfig("resnet18", "kaggle-15", Input(32, 32, 1))
    net = nets.build(config).eval()
    net.backbone.load_state_dict(backbone_weights(state, channels=1))
    grey = torch.rand(1, 1, 32, 32)
    expected = whole.conv1(grey.expand(-1, 3, -1, -1)) / 3
    torch.testing.assert_close(net.backbone.conv1(grey), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(net.backbone.layer4[0].conv1.weight, whole.layer4[0].conv1.weight)


def test_rgb_stem_is_kept() -> None:
    state = resnet18().state_dict()
    kept = backbone_weights(state, channels=3)
    assert torch.equal(kept["conv1.weight"], state["conv1.weight"])
    assert set(state) - set(kept) == {"fc.weight", "fc.bias"}


def gaussian(
    place: tuple[float, float], height: int, width: int, sigma: float = 2.0
) -> torch.Tensor:
    """A bell of `sigma` cells around a place in crop coordinates: `(1, 1, h, w)`."""
    x = (cell_centres(width, torch.device("cpu")) - place[0]) * width / 2
    y = (cell_centres(height, torch.device("cpu")) - place[1]) * height / 2
    distance = x.square()[None, :] + y.square()[:, None]
    return torch.exp(-distance / (2 * sigma**2))[None, None]


def test_a_net_that_answers_pixels_has_the_middle_of_the_picture_where_it_is() -> None:
    config = ModelConfig(
        "keypoint-resnet", "nose-1", Input(40, 64), args={"stages": [4, 8], "pixels": True}
    )
    net = nets.build(config).eval()
    with torch.no_grad():
        net.head[-1].weight.zero_()
        # The middle of 64 columns lies between pixels 31 and 32.
        net.head[-1].bias.copy_(torch.tensor([31.5, 0.0]))
        answer = net(pictures(config, 1)).keypoints
    assert answer[0, 0].tolist() == pytest.approx([0.0, 1 / 40 - 1])


def test_pixels_and_heatmaps_exclude_each_other() -> None:
    args = {"stages": [4, 8], "head": "pyramid", "pixels": True}
    with pytest.raises(ConfigError, match="crop coordinates, not pixels"):
        nets.build(ModelConfig("keypoint-resnet", "nose-1", Input(32, 32), args=args))


def test_xavier_starts_the_linear_layers_and_leaves_the_convolutions() -> None:
    args = {"blocks": [{"channels": 4, "pool": 4}], "hidden": [32]}
    built = []
    for xavier in (False, True):
        torch.manual_seed(0)
        built.append(
            nets.build(
                ModelConfig("simplenet", "nose-1", Input(32, 32), args=args | {"xavier": xavier})
            )
        )
    plain, xavier = built
    assert torch.equal(plain.backbone[0].weight, xavier.backbone[0].weight)
    for layer in (xavier.head[0], xavier.head[-1]):
        assert not layer.bias.any()
        bound = (6 / (layer.in_features + layer.out_features)) ** 0.5
        assert 0.9 * bound < layer.weight.abs().max() <= bound
