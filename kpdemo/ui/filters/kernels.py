"""A layer's kernels and feature maps as the browser draws them.

Weights and feature maps travel as signed bytes, each kernel in a scale of its own, and the browser
colours them. A byte of -128 is a cell without a value.
"""

import json
from base64 import b64encode
from typing import Any

import cv2
import numpy as np
import torch

from kpdemo import zoo
from kpdemo.explain import filters
from kpdemo.explain.convolution import decompose
from kpdemo.explain.filters import Layer
from kpdemo.models.checkpoint import Model
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import css_color
from kpdemo.ui.shared.image_data import data_uri

SLICES = 64  # input slices of a kernel that can be shown one by one
CHANNELS = 6  # inputs of a sum that are shown with all their numbers
MAP_SIDE = 112  # cells per side of a feature map, at most
_NO_CELL = -128


def layer(
    model: Model,
    layer: Layer,
    crop: np.ndarray | None,
    hint: str,
    photo: np.ndarray | None = None,
) -> str:
    """A layer's kernels as JSON, with their feature maps on `crop`, the net's input.

    `photo` is the same part of the photo, `(H, W, 3)` uint8 of any size, to lay the maps over; by
    default the crop. Without a crop there are no feature maps, and `hint` says what to do about it.
    """
    weights = filters.kernels(model, layer)
    flat = weights.reshape(len(weights), -1)
    return json.dumps(
        _head(model, layer, weights)
        | {
            "lows": _short(flat.min(1)),
            "highs": _short(flat.max(1)),
            "points": titles.points(model.config.markup) if layer.per_keypoint else None,
            "slices": _slices(weights) if layer.inputs > 1 else None,
            "answers": None if crop is None else _feature_maps(model, layer, crop, photo),
            "hint": hint,
        }
    )


def first_layers(models: list[tuple[Model, Layer]]) -> str:
    """The first kernels of several models as JSON."""
    return json.dumps(
        [_head(model, first, filters.kernels(model, first)) for model, first in models]
    )


def sum_at(model: Model, layer: Layer, crop: np.ndarray, kernel: int, row: int, column: int) -> str:
    """The sum behind one cell of a kernel's map as JSON, with its strongest inputs in numbers.

    Raises IndexError where there is no such kernel or cell.
    """
    parts = decompose(model, layer, crop, kernel, row, column)
    by_input = parts.products.sum((1, 2))
    order = np.argsort(-np.abs(by_input), kind="stable")
    strongest, others = order[:CHANNELS], order[CHANNELS:]
    return json.dumps(
        {
            "model": model.name,
            "layer": layer.name,
            "kernel": kernel,
            "row": row,
            "column": column,
            "inputs": layer.inputs,
            "readsPicture": layer.reads_picture,
            "norm": layer.norm is not None,
            "bias": parts.bias,
            "convolution": parts.convolution,
            "scale": parts.scale,
            "shift": parts.shift,
            "result": parts.result,
            "value": parts.value,
            "activation": layer.activation and _activated(model, layer.activation, parts.value),
            "channels": [
                {
                    "input": _input_title(layer, int(number)),
                    "inputs": parts.inputs[number].tolist(),
                    "weights": parts.weights[number].tolist(),
                }
                for number in strongest
            ],
            "others": len(others),
            "rest": float(by_input[others].sum()),
        }
    )


def _activated(model: Model, name: str, value: float) -> tuple[str, float]:
    """The kind of an activation, and what it makes of a value."""
    module = model.net.get_submodule(name)
    return type(module).__name__, float(module(torch.tensor([value]))[0])


def _input_title(layer: Layer, number: int) -> str:
    if not layer.reads_picture:
        return f"Input {number + 1}"
    return ("Red", "Green", "Blue")[number] if layer.inputs == 3 else "The photo"


def size(layer: Layer) -> str:
    """A layer's kernels in words: "64 kernels of 7×7"."""
    height, width = layer.kernel
    return f"{layer.outputs} kernels of {height}×{width}"


def _head(model: Model, layer: Layer, weights: np.ndarray) -> dict[str, Any]:
    pictures, inputs = _pictures(layer, weights)
    scales = np.abs(weights).max((1, 2, 3))
    return {
        "model": model.name,
        "title": zoo.title(model.name),
        "color": css_color(model.name),
        "name": layer.name,
        "layer": layer.title,
        "size": size(layer),
        "kernel": layer.kernel,
        "stride": layer.stride,
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        "readsPicture": layer.reads_picture,
        "transposed": layer.transposed,
        "norm": layer.norm is not None,
        "scales": _short(scales),
        "pictures": _bytes(pictures, scales),
        "shape": pictures.shape[1:],
        "strongest": inputs,
    }


def _pictures(layer: Layer, weights: np.ndarray) -> tuple[np.ndarray, list[int] | None]:
    """One image per kernel, `(outputs, planes, rows, columns)`, NaN for no cell.

    A first layer's three colours are three planes. A 1×1 kernel becomes a block with a cell per
    input. For other kernels it is the input with the largest norm, whose numbers are returned too.
    """
    count, inputs, height, width = weights.shape
    if inputs == 1 or (layer.reads_picture and inputs == 3):
        return weights, None
    if height == width == 1:
        columns = int(np.ceil(np.sqrt(inputs)))
        rows = -(-inputs // columns)
        block = np.full((count, rows * columns), np.nan, np.float32)
        block[:, :inputs] = weights[:, :, 0, 0]
        return block.reshape(count, 1, rows, columns), None
    strongest = _by_norm(weights)[:, :1]
    picture = np.take_along_axis(weights, strongest[..., None, None], 1)
    return picture, strongest[:, 0].tolist()


def _slices(weights: np.ndarray) -> dict[str, Any]:
    """Each kernel's weights for its inputs of largest norm, the largest first."""
    order = _by_norm(weights)[:, :SLICES]
    slices = np.take_along_axis(weights, order[..., None, None], 1)
    return {
        "count": order.shape[1],
        "inputs": b64encode(order.astype("<u2").tobytes()).decode(),
        "values": _bytes(slices, np.abs(weights).max((1, 2, 3))),
    }


def _by_norm(weights: np.ndarray) -> np.ndarray:
    return np.argsort(-np.square(weights).sum((2, 3)), axis=1, kind="stable")


def _feature_maps(
    model: Model, layer: Layer, crop: np.ndarray, photo: np.ndarray | None
) -> dict[str, Any]:
    maps = filters.feature_maps(model, layer, crop)
    scales = np.abs(maps).max((1, 2))
    height, width = maps.shape[1:]
    shrink = min(1.0, MAP_SIDE / max(height, width))
    size = round(width * shrink), round(height * shrink)
    small = np.stack([cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in maps])
    return {
        "cells": [height, width],
        "shape": small.shape[1:],
        "values": _bytes(small, scales),
        "scales": _short(scales),
        "lows": _short(maps.min((1, 2))),
        "highs": _short(maps.max((1, 2))),
        "strengths": _short(filters.strengths(maps)),
        "covered": filters.covered_area(model, layer, maps),
        "photo": data_uri(crop, "png") if photo is None else data_uri(photo, "jpeg"),
        "faceShape": crop.shape[:2],
    }


def _bytes(values: np.ndarray, scales: np.ndarray) -> str:
    """`(n, ...)` numbers in units of `(n,)` scales / 127, as base64 of signed bytes."""
    scales = np.where(scales > 0, scales, 1).reshape(-1, *[1] * (values.ndim - 1))
    units = np.nan_to_num(np.rint(127 * values / scales), nan=_NO_CELL)
    return b64encode(units.astype(np.int8).tobytes()).decode()


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.4g}") for value in values]
