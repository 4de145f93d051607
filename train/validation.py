"""Loss and error on the validation faces after an epoch."""

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.utils.data import DataLoader

from kpdemo.models import nets
from kpdemo.models.checkpoint import normalise
from train.data.dataset import EpochSampler, Faces
from train.losses import KeypointLoss
from train.recipe import Recipe


@torch.no_grad()
def validate(
    net: nn.Module, faces: Faces, loss: KeypointLoss, recipe: Recipe, accelerator: Accelerator
) -> tuple[float, float]:
    """Loss and NME (percent), the same in all processes; leaves the net in evaluation mode."""
    net.eval()
    losses, errors = [], []
    sampler = EpochSampler(len(faces), 0, shuffle=False)
    for batch in DataLoader(faces, recipe.batch_size, sampler=sampler):
        pictures, target, eyes = (part.to(accelerator.device) for part in batch)
        with accelerator.autocast():
            output = net(normalise(pictures, recipe.input))
        output = nets.Output(output.keypoints.float(), output.heatmaps)
        losses.append(loss(output, target) * len(pictures))
        errors.append(nme(output.keypoints, target, eyes, recipe))
    mean = float(torch.stack(losses).sum() / len(faces))
    # Batch norm's statistics differ slightly between processes; their decisions must not.
    mean, error = broadcast_object_list([mean, float(torch.cat(errors).nanmean())])
    return mean, error


def nme(keypoints: Tensor, target: Tensor, eyes: Tensor, recipe: Recipe) -> Tensor:
    """NME of each face in percent of its eye distance: `(B, K, 2)` twice, `(B,)` -> `(B,)`.

    All in crop coordinates, whose units in x and y are equal only for square inputs.
    """
    aspect = torch.tensor([1.0, recipe.input.height / recipe.input.width], device=target.device)
    distance = ((keypoints - target) * aspect).norm(dim=-1)
    return 100 * distance.nanmean(1) / eyes
