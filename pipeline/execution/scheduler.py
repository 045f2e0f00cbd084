"""The loop that runs a graph: inputs first; cached stages are not run, others as the budget allows.

resolve   a node with committed inputs has a key; if that key is committed, the node is done
admit     the others start, longest remaining path first, while their CPUs and GPUs fit and no other driver
          holds their key (else they wait, and count as cached once that driver has committed)
settle    jobs that have ended are committed, retried when their worker was lost, or failed; a failure skips
          only what depends on it
"""

from __future__ import annotations

import time
import traceback
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from graphlib import TopologicalSorter
from random import Random
from typing import Any

from pipeline.errors import ClusterLost, Interrupted, PipelineError, StoreFault
from pipeline.execution.books import Books
from pipeline.execution.executor import Cancelled, Executor, Handle, WorkerLost
from pipeline.execution.outcome import Result, Retries
from pipeline.execution.pending import Pending
from pipeline.execution.stopping import CANCEL_SECONDS, Step, due
from pipeline.planning.admission import NO_LIMIT, Budget, refuse_oversized
from pipeline.planning.graph import Graph, Node
from pipeline.planning.resolver import Resolver
from pipeline.stage import Resources
from pipeline.store.events import Observer
from pipeline.store.faults import as_store_fault, refuse_if_gone
from pipeline.store.lease import Leases
from pipeline.store.process import Process
from pipeline.store.record import read_progress, request_stop, withdraw_stop
from pipeline.store.runs import requested_stops
from pipeline.store.store import Manifest, Store

WAIT_SECONDS = 0.5
POLL_SECONDS = 1.0
REMOTE_POLL_SECONDS = 2.0
"""Pause between two looks at a stage's progress or another driver's lease, on a disk and on an object store."""

STOP_POLL_SECONDS = 2.0
"""Pause between two looks for a request to stop in the store."""

ENDED = (Cancelled, Interrupted, WorkerLost, ClusterLost)
"""Errors of a job that a stop has ended; any other is a failure, also after a stop."""


class Scheduler:
    """One run of one graph."""

    def __init__(
        self,
        graph: Graph,
        store: Store,
        executor: Executor,
        resolver: Resolver,
        *,
        run_id: str,
        observers: Iterable[Observer] = (),
        budget: Resources | None = None,
        controllers: float = NO_LIMIT,
        growth: Callable[[], Resources] | None = None,
        keep_going: bool = True,
        retries: Retries | None = None,
        leases: Leases | None = None,
        provenance: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        random: Random | None = None,
    ) -> None:
        """`budget` defaults to the capacity, and `growth` reads it again; `controllers` limits the nested stages.

        Without `keep_going` nothing new starts after a failure.
        """
        self._graph, self._store, self._executor, self._resolver = graph, store, executor, resolver
        self._run_id = run_id
        self._budget, self._growth = Budget(budget or executor.capacity(), executor.capacity(), controllers), growth
        self._keep_going = keep_going
        self._retries = retries or Retries()
        self._leases = leases or Leases(store.folder / "leases")
        self._provenance = dict(provenance or {})
        self._clock, self._sleep, self._random = clock, sleep, random or Random()
        self._order = TopologicalSorter(graph.edges())
        heights = graph.heights()
        self._priority = {node_id: (-heights[node_id], index) for index, node_id in enumerate(graph.nodes)}
        self._books = Books(graph, store, observers)
        self._queue: list[Pending] = []
        self._running: dict[Handle, Pending] = {}
        self._polled: dict[str, float] = {}
        self._next_poll = 0.0
        self._poll_seconds = POLL_SECONDS if store.folder.is_local else REMOTE_POLL_SECONDS
        self._left_work: set[str] = set()
        self._next_look = 0.0
        self._stops = 0

    @property
    def result(self) -> Result:
        """Outcomes so far; valid during the run and after an interrupt too."""
        return Result(self._run_id, dict(self._books.outcomes))

    def stop(self) -> None:
        """Ask the run to end: the first call lets running jobs save and cancels them, the second kills them at once.

        Safe in a signal handler.
        """
        self._stops += 1

    def run(self) -> Result:
        """Run every node to completion. Failures are in the result.

        Raises Interrupted after `stop` or Ctrl-C. StoreFault and ClusterLost end the run: the store or Ray is gone.
        """
        try:
            self._store.prepare()
            self._books.prepared = True
            self._left_work = self._store.keys_with_work()
            self._start()
            self._loop()
        except KeyboardInterrupt:
            self.stop()
        except OSError as error:
            self._books.take_as_fault(error)
        except ClusterLost as lost:
            self._give_up(lost)
        finally:
            if self._stops or self._running:
                self._cancel()
            self._leases.close()
            self._books.emit("run_finished", data={"status": self.result.status})
        if self._books.fault:
            raise self._books.fault
        if self._stops and self.result.status == "interrupted":
            raise Interrupted(self.result.stopped_text())
        return self.result

    def _start(self) -> None:
        data = {"process": asdict(Process.this()), **self._provenance}
        self._books.emit("run_started", data=data)
        for node in self._graph.nodes.values():
            self._books.emit("planned", node)
        self._order.prepare()

    def _loop(self) -> None:
        self._resolve()
        while (self._queue or self._running) and not (self._stops or self._books.fault):
            self._admit()
            if self._running:
                for handle in self._executor.wait(list(self._running), self._patience()):
                    self._settle(handle)
            elif self._queue:
                self._sleep(self._patience())
            self._resolve()
            self._tick()

    def _resolve(self) -> None:
        """Finish cached nodes until only nodes that must run remain."""
        while self._order.is_active() and (ready := self._order.get_ready()):
            for node_id in ready:
                if self._books.outcomes[node_id].state != "planned":
                    continue  # skipped: nothing new starts after a failure
                node = self._graph.nodes[node_id]
                inputs = {path: self._manifest(above) for path, above in node.inputs.items()}
                pending = Pending(node, self._resolver.draft(node, inputs, self._provenance), inputs)
                if not self._end_if_cached(pending):
                    self._enqueue(pending)

    def _enqueue(self, pending: Pending) -> None:
        try:
            refuse_oversized([pending.node], self._budget.total)
        except PipelineError as error:
            self._fail(pending, error)
        else:
            self._wait(pending)

    def _wait(self, pending: Pending) -> None:
        pending.requested = self._budget.fitted(pending.node.stage.resources)
        insort(self._queue, pending, key=lambda waiting: self._priority[waiting.node.id])

    def _end_if_cached(self, pending: Pending) -> bool:
        manifest = self._store.find(pending.draft.key)
        if manifest is None:
            return False
        if manifest.key in self._left_work:  # a process died between commit and cleanup
            self._store.work(manifest.key).delete()
        self._books.end(pending.node, "cached", manifest=manifest, seconds=manifest.seconds)
        self._books.emit("cached", pending.node, manifest.key)
        self._order.done(pending.node.id)
        return True

    def _admit(self) -> None:
        now = self._clock()
        for pending in list(self._queue):  # runs for every waiting stage whenever one ends: it has to be fast
            resources = pending.requested
            if pending.not_before > now or not self._budget.take(resources):
                continue
            if self._is_mine(pending):
                pending.taken = self._budget.extended(resources)
                self._queue.remove(pending)
                self._submit(pending)
            else:
                self._budget.give_back(resources)

    def _is_mine(self, pending: Pending) -> bool:
        """Take the lease; False when another driver holds it or has committed in the meantime.

        Also False while a stage of this graph with the same key runs, as where two trainings gave equal weights: the
        lease is that of this process, and both would work in one folder.
        """
        if any(other.draft.key == pending.draft.key for other in self._running.values()):
            return False
        holder = self._leases.acquire(pending.draft.key)
        if self._end_if_cached(pending):
            self._leases.release(pending.draft.key)
            self._queue.remove(pending)
            return False
        if holder is None:
            return True
        pending.not_before = self._clock() + self._poll_seconds
        if not pending.waiting:
            pending.waiting = True
            self._books.emit("waiting", pending.node, pending.draft.key, {"holder": f"other driver, pid {holder.pid}"})
        return False

    def _submit(self, pending: Pending) -> None:
        pending.attempt += 1
        if pending.node.stage.saves_when_stopped:
            withdraw_stop(self._store.work(pending.draft.key))
        pending.began = self._clock()
        taken = pending.taken
        data = {"attempt": pending.attempt, "cpus": taken.cpus, "gpus": taken.gpus}
        self._books.emit("started", pending.node, pending.draft.key, data)
        job = pending.job(self._store, self._run_id, self._budget.share(taken))
        self._running[self._executor.submit(job)] = pending

    def _settle(self, handle: Handle) -> None:
        pending = self._running.pop(handle)
        self._budget.give_back(pending.taken)
        try:
            manifest = self._executor.result(handle)
        except WorkerLost as lost:
            if pending.attempt <= self._retries.limit and not self._stops:
                self._retry(pending, lost)
            else:
                self._fail(pending, lost)
        except Exception as error:
            fault = as_store_fault(error, self._store.folder)
            self._books.fault = self._books.fault or fault
            self._fail(pending, fault or error)
        else:
            self._commit(pending, manifest)

    def _commit(self, pending: Pending, manifest: Manifest) -> None:
        self._leases.release(manifest.key)
        self._books.end(pending.node, "committed", manifest=manifest, seconds=self._clock() - pending.began)
        self._books.emit("committed", pending.node, manifest.key, {"seconds": manifest.seconds})
        self._order.done(pending.node.id)

    def _retry(self, pending: Pending, lost: WorkerLost) -> None:
        delay = self._retries.delay(pending.attempt, self._random)
        pending.not_before = self._clock() + delay
        self._wait(pending)
        data = {"reason": str(lost), "delay": round(delay, 3), "attempt": pending.attempt}
        self._books.emit("retried", pending.node, pending.draft.key, data)

    def _fail(self, pending: Pending, error: BaseException) -> None:
        self._leases.release(pending.draft.key)
        if self._stops and (pending.cancelled or isinstance(error, ENDED)):
            self._books.end(pending.node, "cancelled", error=error)
            self._books.emit("cancelled", pending.node, pending.draft.key)
            return
        seconds = self._clock() - pending.began if pending.attempt else 0.0
        self._books.end(pending.node, "failed", error=error, seconds=seconds)
        text = "".join(traceback.format_exception(error))
        data = {"class": type(error).__name__, "message": str(error), "traceback": text}
        self._books.emit("failed", pending.node, pending.draft.key, data)
        self._skip(pending.node)

    def _skip(self, failed: Node) -> None:
        """Skip what needs the failed node, or everything that has not started unless the run keeps going."""
        because = f"{failed.address} failed"
        doomed = self._graph.below(failed.id)
        if not self._keep_going:
            started = {pending.node.id for pending in self._running.values()}
            doomed = [node_id for node_id in self._graph.nodes if node_id not in started]
            self._queue.clear()
        for node_id in doomed:
            if self._books.outcomes[node_id].state == "planned":
                self._books.end(self._graph.nodes[node_id], "skipped", because=because)
                self._books.emit("skipped", self._graph.nodes[node_id], data={"because": because})

    def _cancel(self) -> None:
        """End the running jobs: those that can save are asked to, the others cancelled; later all are killed.

        A job that commits in time is kept.
        """
        self._stops = max(self._stops, 1)
        began, done = self._clock(), Step.NONE
        while self._running and self._clock() < began + 2 * CANCEL_SECONDS:
            step = due(self._clock() - began, at_once=self._stops > 1)
            if step > done:
                for handle, pending in list(self._running.items()):
                    self._end_job(handle, pending, step, first=not done)
                done = step
            try:
                for handle in self._executor.wait(list(self._running), WAIT_SECONDS):
                    self._settle(handle)
            except KeyboardInterrupt:
                self.stop()
            except ClusterLost as lost:
                self._give_up(lost)
            try:
                self._tick()
            except OSError as error:
                self._books.take_as_fault(error)
        for pending in self._running.values():
            self._fail(pending, Interrupted("did not end when it was killed"))
        self._running.clear()

    def _give_up(self, lost: ClusterLost) -> None:
        """End the running jobs in the books: nobody is left who would answer for them."""
        self._books.fault = self._books.fault or lost
        for pending in self._running.values():
            self._fail(pending, lost)
        self._running.clear()

    def _end_job(self, handle: Handle, pending: Pending, step: Step, *, first: bool) -> None:
        saves = pending.node.stage.saves_when_stopped
        if saves and step == Step.SAVE:
            with suppress(OSError, StoreFault):
                refuse_if_gone(self._store.folder)  # the request would start another store in its place
                request_stop(self._store.work(pending.draft.key))
                return
        elif step < Step.KILL and not saves and not first:
            return
        pending.cancelled = True
        self._executor.cancel(handle, force=step == Step.KILL)

    def _patience(self) -> float:
        """Seconds until something may have changed."""
        now = self._clock()
        later = [pending.not_before - now for pending in self._queue if pending.not_before > now]
        return min([WAIT_SECONDS, *later])

    def _tick(self) -> None:
        if self._clock() >= self._next_poll:
            self._next_poll = self._clock() + self._poll_seconds
            self._books.watch_store()
            for pending in self._running.values():
                self._poll(pending)
            if self._growth:
                self._budget.grow(self._growth())
                for pending in self._queue:
                    pending.requested = self._budget.fitted(pending.node.stage.resources)
        if self._clock() >= self._next_look:
            self._next_look = self._clock() + STOP_POLL_SECONDS
            requested = requested_stops(self._store.run(self._run_id))
            while self._stops < requested:  # a request after Ctrl-C asks for nothing more
                self.stop()
        self._books.tick()

    def _poll(self, pending: Pending) -> None:
        key = pending.draft.key
        progress = read_progress(self._store.work(key))
        if progress and progress.time > self._polled.get(key, 0.0):
            self._polled[key] = progress.time
            data = {"done": progress.done, "total": progress.total, "note": progress.note, "host": progress.host}
            self._books.emit("progress", pending.node, key, data)

    def _manifest(self, node_id: str) -> Manifest:
        manifest = self._books.outcomes[node_id].manifest
        assert manifest is not None, "a node is ready only when its inputs are committed"
        return manifest
