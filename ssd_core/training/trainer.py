"""Training of a detector: an endless stream of batches, an iteration-based schedule, exact resumption.

The loss of a step is (L_conf + L_loc) / N over the *global* batch: N counts the default boxes matched on all workers,
and each worker contributes its own sums (paper equation 1; the original on one GPU). Batches and augmentation are
functions of the seed and the position in the stream, so a training on 1 or 8 workers is the same training. With
`accumulation` a worker computes its share in parts, whose gradients add up: N is still that of the global batch.
On a GPU a step never waits for the device (`static_shapes`), so that the host queues kernels ahead of it.
A compiled training checks the gradients of the compiled network before its first step (`training.compilation`).
With the `local` normaliser the loss is the mean of the workers' separate losses (the original on several GPUs,
multibox_loss_layer.cpp and parallel.cpp), so the recipe states the number of workers.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

import torch
from torch import Tensor, nn

from ssd_core.boxes.matching import Matches, match
from ssd_core.boxes.objects import Objects
from ssd_core.data.batch_digest import share_digest
from ssd_core.data.training_stream import Batch
from ssd_core.network.model import Detector
from ssd_core.network.precision import autocast, check_precision
from ssd_core.spec.recipe import Recipe
from ssd_core.training.averaging import WeightAverage
from ssd_core.training.checkpoint import CheckpointFolder
from ssd_core.training.compilation import Network, Verdict, compiled, examine
from ssd_core.training.freezing import freeze
from ssd_core.training.loss import multibox_loss
from ssd_core.training.optimiser import build_optimiser, set_learning_rate
from ssd_core.training.progress import Listener, StepRecord, Stopwatch
from ssd_core.training.world import World, without_averaging

_log = logging.getLogger(__name__)

NOTED_WAIT_SHARE = 0.2
"""Share of the time spent waiting for data above which the progress note shows it."""


class NonFiniteLossError(ValueError):
    """The loss or the weights became infinite or NaN."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often a training reports and saves; never changes its result."""

    log_steps: int = 20
    checkpoint_steps: int = 2000
    checkpoint_seconds: float = 300.0


@dataclass
class _Window:
    """Losses and image ids since the last report; losses stay on the device to avoid a synchronisation per step."""

    losses: list[Tensor] = field(default_factory=list)
    image_ids: list[list[str]] = field(default_factory=list)
    digests: list[int] = field(default_factory=list)


class Trainer:
    """One worker's part of a training."""

    def __init__(
        self, recipe: Recipe, detector: Detector, *, world: World, checkpoints: CheckpointFolder,
        listener: Listener, pace: Pace, static_shapes: bool | None = None,
        stop_requested: Callable[[], bool] = lambda: False, record: StepRecord | None = None, refused: bool = False,
    ) -> None:  # fmt: skip
        """Set up the training, at its newest checkpoint if there is one.

        `stop_requested` is called on the first worker after each step; once it is true, all workers save and end.
        `record`, on every worker or on none, is used on the first.
        `refused`, used on the first, states that steps before this one were taken uncompiled because the compiled
        network was refused: the training stays uncompiled.
        `static_shapes` selects how matches and losses are computed; by default it is true on a GPU.
        """
        check_precision(recipe.precision, world.device)
        _check_workers(recipe, world)
        self.recipe, self.world, self.checkpoints = recipe, world, checkpoints
        self.listener, self.pace, self._stop_requested, self._record = listener, pace, stop_requested, record
        on_gpu = world.device.type == "cuda"
        self.static_shapes = on_gpu if static_shapes is None else static_shapes
        self._copy_stream = torch.cuda.Stream(world.device) if on_gpu else None  # type: ignore[no-untyped-call]
        self.detector = detector.to(world.device).train()
        self.detector.to(memory_format=torch.channels_last)
        freeze(self.detector, recipe.frozen_through)
        self.average = WeightAverage(self.detector, recipe.ema_decay) if recipe.ema_decay else None
        self.optimiser = build_optimiser(
            self.detector, recipe.optimiser, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        self.step = world.from_first(checkpoints.newest_step() if world.is_first else 0)
        if self.step:
            checkpoints.restore(self.step, self.detector, self.optimiser, self.average)
        self.network: Network  # the checkpoints are those of the detector, compiled or not
        self.network = self._distributed = world.distribute(self.detector)
        self._unchecked = recipe.compiled and not world.from_first(int(refused))
        self._window, self._watch, self._saved_at = _Window(), Stopwatch(), time.monotonic()

    @property
    def is_compiled(self) -> bool:
        """Whether steps use a compiled network; false before the first step."""
        return self.network is not self._distributed

    def run(self, batches: Iterable[Batch]) -> Detector:
        """Train on `batches`, which start at step `self.step`, and return the detector.

        Ends at the end of the schedule, or with a checkpoint of the step reached when a stop is requested.
        """
        self._watch.read()
        if self.world.is_first:
            self.listener.progress(self.step, self.recipe.schedule.iterations, "waiting for the first batch")
        for batch in self._timed(batches):
            self._take_step(batch)
            self.step += 1
            is_last = self._is_stopping()
            if is_last or self.step % self.pace.log_steps == 0 or self._is_checkpoint_step():
                self._report(save=is_last)
            if is_last:
                break
        return self.detector

    def _timed(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        stream = iter(batches)
        while self.step < self.recipe.schedule.iterations:
            began = time.perf_counter()
            batch = next(stream)
            if self._copy_stream:
                batch = batch.to_cuda(self._copy_stream)
            self._watch.waited += time.perf_counter() - began
            yield batch

    def _compile(self, batch: Batch) -> None:
        """Train compiled from here on if no worker refuses the compiled network; one verdict for all workers."""
        if self.world.is_first:
            self.listener.progress(self.step, self.recipe.schedule.iterations, "compiling the network")
        candidate, images = compiled(self._distributed), batch.images
        sized = [images[rows] for rows in part_rows(len(images), self.recipe.accumulation)]
        shares = {len(part): part for part in sized}  # one of each shape
        with without_averaging(self._distributed):
            verdict = examine(self.detector, candidate, shares.values(), self.recipe.precision)
        verdict = max(self.world.gather(verdict), key=lambda each: (bool(each.refusal), each.difference))
        if not verdict.refusal:
            self.network = candidate
        self._unchecked = False
        if self.world.is_first:
            self._publish_verdict(verdict)
        self._watch.read()

    def _publish_verdict(self, verdict: Verdict) -> None:
        if verdict.refusal:
            _log.warning("the training goes on uncompiled, although compiled=true: %s", verdict.refusal)
        if self._record:
            self._record.compilation(self.step, verdict)

    def _take_step(self, batch: Batch) -> None:
        if self._unchecked:
            self._compile(batch)
        recipe, default_boxes, static = self.recipe, self.detector.default_boxes, self.static_shapes
        set_learning_rate(self.optimiser, recipe.schedule.learning_rate(self.step))
        matches = match(default_boxes, batch.objects, recipe.spec, static_shapes=static)
        matched = self._matched(matches)
        self.optimiser.zero_grad(set_to_none=True)
        *first, last = parts(batch, matches, recipe.accumulation)
        with without_averaging(self._distributed):
            losses = [self._add_gradients(*part, matched) for part in first]
        losses.append(self._add_gradients(*last, matched))
        if recipe.clip_norm:
            nn.utils.clip_grad_norm_(self.detector.parameters(), recipe.clip_norm)
        self.optimiser.step()
        if self.average:
            self.average.update(self.step + 1)
        self._window.losses.append(sum(losses[1:], losses[0]) / matched)
        self._window.image_ids.append(batch.image_ids)
        if self._record:
            self._window.digests.append(share_digest(batch.positions.tolist(), batch.image_ids))
        self._watch.images += recipe.batch_size

    def _add_gradients(self, images: Tensor, objects: Objects, matches: Matches, matched: Tensor) -> Tensor:
        """Compute a part of the share forward and backward; return its location and confidence loss, as sums."""
        recipe, default_boxes = self.recipe, self.detector.default_boxes
        with autocast(recipe.precision, self.world.device):
            locations, logits = self.network(images)
        loss = multibox_loss(
            locations, logits, matches, objects, default_boxes, recipe.spec, static_shapes=self.static_shapes
        )
        # DDP averages over the workers; times their number, that is the sum over the global batch
        total = (loss.location + loss.confidence) * (self.world.size / matched)
        torch.autograd.backward(total)
        return torch.stack([loss.location, loss.confidence]).detach()

    def _matched(self, matches: Matches) -> Tensor:
        """Return the divisor of this worker's sums, such that the quotients of all workers add up to the loss."""
        count = matches.matched_count().float()
        if self.recipe.normaliser == "local":
            return count.clamp(min=1) * self.world.size
        return self.world.sum(count).clamp(min=1)

    def _is_stopping(self) -> bool:
        """Whether to end after this step, the same on every worker."""
        requested = self.world.is_first and self._stop_requested()
        if self.world.size == 1:
            return requested
        if self.world.device.type == "cuda" and self.step % self.pace.log_steps:
            return False  # to agree, this step would have to wait for the device
        return bool(self.world.from_first(int(requested)))

    def _report(self, *, save: bool) -> None:
        """Check and report the losses since the last report; save if a checkpoint is due, or anyway if `save`."""
        window, self._window = self._window, _Window()
        wants_checkpoint = self.world.is_first and (save or self._wants_checkpoint())
        losses = torch.stack(window.losses)
        shared = torch.cat([losses.flatten(), losses.new_tensor([float(wants_checkpoint)])])
        shared = self.world.sum(shared).cpu()
        losses = shared[:-1].view(-1, 2)
        bad = torch.nonzero(~torch.isfinite(losses).all(dim=1)).flatten().tolist()
        if bad:
            self._refuse("the loss", self.step - len(losses) + bad[0] + 1, window.image_ids[bad[0]])
        if self._record:
            digests = self.world.sum(torch.tensor(window.digests, device=self.world.device)).tolist()
            if self.world.is_first:
                self._record.steps(losses.sum(dim=1).tolist(), digests)
        if self.world.is_first:
            self._publish(losses)
        if shared[-1] > 0:
            self._save(window.image_ids[-1])

    def _publish(self, losses: Tensor) -> None:
        location, confidence = losses.mean(dim=0).tolist()
        reading = self._watch.read()
        values = {
            "loss": location + confidence,
            "loss/location": location,
            "loss/confidence": confidence,
            "learning_rate": self.recipe.schedule.learning_rate(self.step - 1),
        }
        if self.recipe.compiled:
            values["compiled"] = float(self.is_compiled)
        self.listener.point(self.step, values | reading)
        note = f"loss {location + confidence:.2f}, {reading['throughput/images_per_second']:.0f} images/s"
        if (share := reading["throughput/data_wait_share"]) > NOTED_WAIT_SHARE:
            note += f", {share:.0%} of the time waiting for data"
        if self.recipe.compiled and not self.is_compiled:
            note += ", uncompiled: see the log"
        self.listener.progress(self.step, self.recipe.schedule.iterations, note)

    def _refuse(self, what: str, step: int, image_ids: list[str]) -> NoReturn:
        """Raise on all workers at once; `image_ids` are this worker's share of the step's batch."""
        batch = ", ".join(image_id for part in self.world.gather(image_ids) for image_id in part)
        raise NonFiniteLossError(
            f"{what} of step {step} is not finite (learning rate {self.recipe.schedule.learning_rate(step - 1):g}); "
            f"images of its batch: {batch}. Check their boxes, lower schedule.base_lr, or raise schedule.warmup; "
            f"the last checkpoint, at step {self.checkpoints.newest_step()}, is kept."
        )

    def _is_checkpoint_step(self) -> bool:
        every = [steps for steps in (self.pace.checkpoint_steps, self.recipe.keep_every) if steps]
        return self.step == self.recipe.schedule.iterations or any(self.step % steps == 0 for steps in every)

    def _wants_checkpoint(self) -> bool:
        return self._is_checkpoint_step() or time.monotonic() - self._saved_at >= self.pace.checkpoint_seconds

    def _save(self, image_ids: list[str]) -> None:
        if not _is_finite(self.detector):  # after a finite loss; the same on every worker
            self._refuse("the weights after the update", self.step, image_ids)
        self._saved_at = time.monotonic()
        if self.world.is_first:
            if self._record:
                self._record.saving()
            self.checkpoints.save(self.step, self.detector, self.optimiser, self.average)


def parts(batch: Batch, matches: Matches, count: int) -> Iterator[tuple[Tensor, Objects, Matches]]:
    """Yield a worker's share in `count` parts, as equal as possible, or an image at a time if it has fewer."""
    if count == 1:
        yield batch.images, batch.objects, matches
        return
    for rows in part_rows(len(batch.images), count):
        yield (
            batch.images[rows],
            Objects(*(values[rows] for values in batch.objects)),
            Matches(*(values[rows] for values in matches)),
        )


def part_rows(images: int, count: int) -> list[slice]:
    """Return the rows of each of `count` parts, or one part for each image if there are fewer."""
    count = min(count, images)
    return [slice(images * part // count, images * (part + 1) // count) for part in range(count)]


def _check_workers(recipe: Recipe, world: World) -> None:
    """Raise ValueError if a local normaliser is declared for another number of workers."""
    if recipe.normaliser == "local" and world.size != recipe.local_workers:
        raise ValueError(
            f"the local normaliser is declared for {recipe.local_workers} workers, but there are {world.size}: "
            "train with that many, change local_workers, or use the global normaliser"
        )


def _is_finite(module: nn.Module) -> bool:
    return bool(torch.stack([parameter.isfinite().all() for parameter in module.parameters()]).all())
