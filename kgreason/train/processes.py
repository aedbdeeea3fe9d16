"""One process, or several that train one reasoner together."""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, Protocol, final, runtime_checkable

import torch
from torch import Tensor

from kgreason.errors import MissingExtraError


@runtime_checkable
class Processes(Protocol):
    """The processes of a run. Every call is made by all of them, in the same order."""

    rank: int
    world: int

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes."""
        ...

    def gather(self, item: Any) -> list[Any]:
        """Return the item of every process, in order of rank."""
        ...


@final
class OneProcess:
    """A run in one process: nothing to exchange."""

    rank, world = 0, 1

    def sum(self, tensors: Sequence[Tensor]) -> None:
        return

    def gather(self, item: Any) -> list[Any]:
        return [item]


@final
class ManyProcesses:
    """A run that `accelerate launch` or `torchrun` started in several processes.

    Gradients are summed in one flat buffer per step, rather than by DistributedDataParallel: a process without a batch
    left, and parameters that some batches do not touch (a row without a graph), then need no special case.

    Raises:
        MissingExtraError: If accelerate is not installed.
    """

    def __init__(self) -> None:
        try:
            from accelerate import PartialState
        except ImportError as error:
            raise MissingExtraError("accelerate", "train", "Training with several processes") from error
        self.state = PartialState(cpu=not torch.cuda.is_available())
        self.rank, self.world = int(self.state.process_index), int(self.state.num_processes)

    def sum(self, tensors: Sequence[Tensor]) -> None:
        from accelerate.utils import reduce

        if not tensors:
            return
        flat = reduce(torch.cat([tensor.detach().reshape(-1) for tensor in tensors]), "sum")
        for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.detach().copy_(part.view_as(tensor))

    def gather(self, item: Any) -> list[Any]:
        from accelerate.utils import gather_object

        return list(gather_object([item]))


def leave_processes(code: int) -> NoReturn:
    """End this process and its part in the group, with an exit code; the last call of a program that joined one.

    Threads of the group outlive Python: at a usual exit about one process in eight aborted in the C++ library after its
    work was done (torch 2.13, gloo), and the launcher then called the run a failure. So nothing is torn down after us.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def join_processes() -> Processes:
    """Return the processes this one was started with: `torchrun` and `accelerate launch` say so by `WORLD_SIZE`.

    On a machine without a GPU, start two with `torchrun --nproc_per_node 2` or, in spite of its name, with
    `accelerate launch --multi_gpu --num_processes 2` (both talk over gloo); Accelerate 1.15 takes
    `--cpu --num_processes 2` for one process.
    """
    return ManyProcesses() if int(os.environ.get("WORLD_SIZE", "1")) > 1 else OneProcess()


def share(processes: Processes, tensors: Sequence[Tensor]) -> None:
    """Give every process what the first one has; whole numbers are left alone."""
    if processes.world == 1:
        return
    numbers = [tensor for tensor in tensors if tensor.is_floating_point()]
    if processes.rank:
        for tensor in numbers:
            tensor.detach().zero_()
    processes.sum(numbers)


def sum_gradients(processes: Processes, parameters: Sequence[torch.nn.Parameter]) -> None:
    """Sum the gradients over the processes. A parameter without one in all of them keeps none."""
    if processes.world == 1:
        return
    touched = parameters[0].new_tensor([float(p.grad is not None) for p in parameters], dtype=torch.float32)
    for p in parameters:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    processes.sum([touched, *(p.grad for p in parameters if p.grad is not None)])
    for p, reached in zip(parameters, touched.tolist(), strict=True):
        if not reached:
            p.grad = None
