"""Checks that a recipe's settings fit each other, before anything long begins."""

import torch

from kpdemo.models.config import ConfigError
from kpdemo.models.nets import KeypointNet
from train.initial_weights import Pretrained
from train.optim import Schedule, optimizer
from train.recipe import Recipe


def check(recipe: Recipe, net: KeypointNet, processes: int) -> None:
    """ConfigError if the recipe cannot train this net, built from it, on that many processes."""
    if recipe.keep not in ("best", "last"):
        raise ConfigError(f"{recipe.name}: keep is {recipe.keep!r}; it can be best or last.")
    if recipe.data.incomplete not in ("mask", "drop", "fill"):
        raise ConfigError(
            f"{recipe.name}: incomplete is {recipe.data.incomplete!r}; it can be mask, drop or "
            "fill."
        )
    if recipe.imagenet and not isinstance(net, Pretrained):
        raise ConfigError(f"{recipe.name}: there are no ImageNet weights for {recipe.net}.")
    _check_loss(recipe, net)
    if recipe.batch_size < 1 or sum(stage.epochs for stage in recipe.stages) < 1:
        raise ConfigError(f"{recipe.name}: batch_size and the stages' epochs start at 1.")
    for stage in recipe.stages:
        # Reject an unknown name now, not after the stages before it.
        Schedule(stage, optimizer(stage, net.head.parameters()), 1)
    if recipe.batch_size % processes:
        raise ConfigError(
            f"{recipe.name}: batches of {recipe.batch_size} cannot be divided among {processes} "
            "processes."
        )


def _check_loss(recipe: Recipe, net: KeypointNet) -> None:
    """ConfigError if the net does not have what the loss is on."""
    size, loss = recipe.input, recipe.loss
    output = net.eval()(torch.zeros(1, size.channels, size.height, size.width))
    net.train()
    if loss.heatmaps and output.heatmaps is None:
        raise ConfigError(
            f"{recipe.name}: its loss is on heatmaps, but the net has none with these settings."
        )
    if loss.coordinates and not output.keypoints.requires_grad:
        raise ConfigError(
            f"{recipe.name}: a loss on coordinates cannot train a net that takes the highest "
            "cell of a heatmap; use a loss on heatmaps or `decoding: softargmax`."
        )
