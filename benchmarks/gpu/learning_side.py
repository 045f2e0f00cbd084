"""Training of one side of the comparison in its own process, which reports to the process that compares.

The sides differ in augmentation, matching and loss. Network, initial weights, image order, optimiser, rates and
iterations are equal, and both are scored with our detection code and evaluator.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from multiprocessing.connection import Connection
from typing import Any

import cv2
import torch
from gpu.learning_losses import SmallTorchvisionBatches, our_loss, torchvision_loss
from learning_data import OurBatches, scores
from learning_sides import Whose, our_detections
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssd_core.data.loading import loader_options
from ssd_core.data.shards import ShardSet
from ssd_core.data.training_stream import Batch
from ssd_core.network.precision import autocast
from ssd_core.spec.recipe import Recipe
from ssd_core.training.compilation import compiled, examine
from ssd_core.training.optimiser import build_optimiser, set_learning_rate
from ssd_core.weights.initial import initial_detector


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side and where it runs. Without a budget in seconds, the recipe's iterations are run."""

    whose: Whose
    recipe: Recipe
    train: str
    test: str
    device: torch.device
    processes: int
    seconds: float = 0.0
    """Budget of the training. The iterations follow from the speeds that both sides measure."""

    measured: tuple[int, int] = (60, 150)
    """Steps between which the speed is measured."""

    least: int = 600
    """Fewest iterations with a budget. At half of them, before the first drop, a side waits for the schedule."""

    evaluations: int = 4
    window: int = 25
    """Steps of one point of the loss curve."""


def run_side(side: Side, link: Connection) -> None:
    """Train one side. Sends ("losses", point), ("scores", point) and once each ("network", {...}), if the recipe is
    compiled, and ("speed", {...}), with a budget in seconds.

    After its speed it receives the schedule, at any time; until then it trains on with the rates before the first drop.
    """
    if side.device.type == "cpu":
        torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    _Training(side, link).run()


class _Training:
    def __init__(self, side: Side, link: Connection) -> None:
        self.side, self.link, self.began = side, link, time.monotonic()
        recipe = side.recipe
        self.detector = initial_detector(recipe.spec, recipe.seed).to(side.device)
        self.detector.to(memory_format=torch.channels_last)
        self.network: Any = compiled(self.detector) if recipe.compiled else self.detector
        self.optimiser = build_optimiser(
            self.detector, recipe.optimiser, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        self.loss_of = our_loss(self.detector) if side.whose == "ours" else torchvision_loss(self.detector)
        self.schedule, self.agreed = recipe.schedule, not side.seconds
        self.test = ShardSet(side.test)
        self.waited = 0.0

    def run(self) -> None:
        steps, window, step = self._steps(), list[Tensor](), 0
        if self.side.recipe.compiled:
            first = next(steps)
            self._check_compiled(first)
            steps = chain([first], steps)
        while step < self.schedule.iterations:
            if not self.agreed:
                self._agree(step)
            window.append(self._step(step, next(steps)))
            step += 1
            if len(window) == self.side.window or step == self.schedule.iterations:
                self._send_losses(step, window)
                window.clear()
            if self.agreed and step in self._evaluated():
                self._send_scores(step)

    def _steps(self) -> Iterator[Batch]:
        shards, on_gpu = ShardSet(self.side.train), self.side.device.type == "cuda"
        stream: Dataset[Batch] = {"ours": OurBatches, "torchvision": SmallTorchvisionBatches}[self.side.whose](
            shards, self.side.recipe
        )
        batches = iter(DataLoader(stream, sampler=count(), **loader_options(self.side.processes, on_gpu)))
        while True:
            began = time.monotonic()
            batch = next(batches)
            self.waited += time.monotonic() - began
            yield batch

    def _step(self, step: int, batch: Batch) -> Tensor:
        self.detector.train()
        set_learning_rate(self.optimiser, self.schedule.learning_rate(step))
        images = self._images(batch)
        with autocast(self.side.recipe.precision, self.side.device):
            locations, logits = self.network(images)
        loss = self.loss_of(locations.float(), logits.float(), batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        self.optimiser.step()
        return loss.detach()

    def _images(self, batch: Batch) -> Tensor:
        images = batch.images.to(self.side.device, non_blocking=True)
        return images.contiguous(memory_format=torch.channels_last)  # one layout for both sides: compiled once

    def _check_compiled(self, batch: Batch) -> None:
        """Train uncompiled if compiling distorts the gradients, as the Trainer does; send the verdict."""
        self.detector.train()
        precision = self.side.recipe.precision
        verdict = examine(self.detector, self.network, [self._images(batch)], precision)
        if verdict.refusal:
            self.network = self.detector
        self.link.send(
            ("network", {"uncompiled because": verdict.refusal, "share of allowed error": verdict.difference})
        )

    def _agree(self, step: int) -> None:
        """Measure the speed and send it; training on while the other side measures keeps the load on both equal."""
        first, last = self.side.measured
        if step == first:
            self.measured_from = self._now()
        if step == last:
            self.link.send(("speed", {"seconds_per_step": (self._now() - self.measured_from) / (last - first)}))
        if step >= last and (self.link.poll() or step == self.side.least // 2):
            self.schedule, self.agreed = self.link.recv(), True

    def _evaluated(self) -> set[int]:
        """Numbers of steps after which the detector is scored."""
        parts = self.side.evaluations
        return {self.schedule.iterations * part // parts for part in range(1, parts + 1)}

    def _send_losses(self, steps: int, losses: list[Tensor]) -> None:
        mean = float(torch.stack(losses).mean())
        self._send("losses", steps, {"loss": mean, "rate": self.schedule.learning_rate(steps - 1)})
        if not math.isfinite(mean):
            raise ValueError(f"the loss of {self.side.whose} is {mean} after step {steps}")

    def _send_scores(self, steps: int) -> None:
        self.detector.eval()
        began = time.monotonic()
        found = scores(our_detections(self.detector, self.test), self.test)
        self._send("scores", steps, {**found, "evaluation_seconds": round(time.monotonic() - began, 1)})

    def _send(self, curve: str, steps: int, values: dict[str, Any]) -> None:
        seconds = time.monotonic() - self.began
        point = {
            "steps": steps,
            "images": steps * self.side.recipe.batch_size,
            "seconds": round(seconds, 1),
            "seconds_waiting_for_input": round(self.waited, 1),
            "share_waiting_for_input": round(self.waited / seconds, 3),
        }
        self.link.send((curve, point | values))

    def _now(self) -> float:
        if self.side.device.type == "cuda":
            torch.cuda.synchronize()
        return time.monotonic()
