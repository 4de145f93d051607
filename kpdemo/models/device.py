"""Where nets run: CUDA, Apple's MPS or the CPU, and whether bf16 is worth using there."""

from contextlib import AbstractContextManager

import torch


def pick() -> torch.device:
    """The best device of this machine."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def describe(device: torch.device) -> str:
    """What measurements name: the GPU, or the processor with its threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{device.type}, {threads} thread{'s' if threads > 1 else ''}"


def has_bf16(device: torch.device) -> bool:
    """Whether the device has bf16 instructions; emulating them is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(
        capabilities.get(name, False) for name in ("avx512_bf16", "amx_tile")
    )


def precision(device: torch.device) -> torch.dtype:
    """What nets compute in on the device."""
    return torch.bfloat16 if has_bf16(device) else torch.float32


def autocast(device: torch.device) -> AbstractContextManager:
    """bf16 where the device has it, else nothing."""
    return torch.autocast(device.type, torch.bfloat16, enabled=has_bf16(device))
