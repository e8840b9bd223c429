"""Train one recipe in one run folder: set up, then follow the run.

The mathematics is in `inkgan.training`; what happens while a run is trained is in
`inkgan.runs.active_run`, what is due when in `inkgan.runs.schedule`, what is written in
`inkgan.runs.recorder`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch

from inkgan import device as devices
from inkgan.config import Recipe
from inkgan.data.batches import Batches, batches_for
from inkgan.data.dataset import load_dataset, validation_images
from inkgan.data.known_coordinates import must_fit
from inkgan.data.training_images import check_training_images
from inkgan.errors import TrainingStopped
from inkgan.folder_lock import locked
from inkgan.io.environment import (
    processes_note,
    random_numbers_note,
    read_environment,
    threads_of_run,
    write_environment,
)
from inkgan.io.run_dir import RunFolder
from inkgan.io.run_paths import require_utf8
from inkgan.models.custom import CustomNetworks
from inkgan.plural import counted
from inkgan.runs.active_run import SCORED_IMAGES, ActiveRun, RunFiles
from inkgan.runs.events import Event, Finished, Options, Preparing, Reason
from inkgan.runs.process_group import (
    check_processes,
    default_threads_of_process,
    device_of_process,
    is_one_of_several,
    joined,
)
from inkgan.runs.thread_choice import ThreadChoice
from inkgan.training.distributed import ALONE, ProcessGroupWorld, World
from inkgan.training.lockstep import Lockstep
from inkgan.training.state import TrainState, new_state

NO_VALIDATION = (
    "No images are reserved for validation (`data.holdout=0`): checkpoints are scored with "
    "training images, so the best one may be the one that knows these best. Prefer the last one."
)


@dataclass(frozen=True)
class Trainer:
    """Trains a recipe in a run folder, from its beginning or from where it was interrupted.

    Constructing one reads and writes nothing; `events` does.

    Attributes:
        recipe: what is trained.
        out: the run folder.
        options: of this machine and this moment.
        networks: classes of networks of one's own.
    """

    recipe: Recipe
    out: Path
    options: Options = field(default_factory=Options)
    networks: CustomNetworks = field(default_factory=CustomNetworks)

    def events(self) -> Iterator[Event]:
        """Train, and yield each event after it has happened.

        The settings of the process, such as the number of threads, are those of the run while it
        works, and the caller's whenever an event is yielded. Only the run's own time counts as
        training time.

        Raises:
            InkganError: the data, the folder or the recipe cannot be used, or the health monitor
                stopped the run.
        """
        if self.options.processes == 1 or not is_one_of_several():
            device = devices.choose_device(self.options.device)
            yield from self._events(device, ALONE)
            return
        device = device_of_process(self.options.device)
        with joined(device) as world:
            yield from self._events(device, world)

    def _events(self, device: torch.device, world: World) -> Iterator[Event]:
        recipe, options = self.recipe, self.options
        dataset = load_dataset(recipe.data, "train", options.data_dir, options.report)
        if must_fit(dataset, recipe.model):
            codes, images = counted(recipe.model.shape_codes, "shape code"), len(dataset)
            yield Preparing(f"fitting {codes} to {counted(images, 'image')}, once for this data")
        # all that can be wrong with a recipe shows here, before anything is written
        batches = batches_for(recipe, dataset.to(device), world.part)
        notes = check_training_images(dataset, conditional=recipe.model.classes > 0)
        notes = (*notes, *([] if dataset.has_validation else [NO_VALIDATION]))
        state = new_state(recipe, dataset.shape, device, self.networks, world)
        if isinstance(world, ProcessGroupWorld):
            check_processes(world, recipe, batches.dataset.digest(), device, self.out)
            if world.rank > 0:
                yield from self._follow(batches, state, world)
                return
        real = validation_images(recipe.data, dataset, SCORED_IMAGES, options.data_dir)
        require_utf8(self.out)
        with locked(self.out, "training in"):
            folder = RunFolder.create_or_open(self.out, recipe)
            path = folder.environment_path
            threads, note = threads_of_run(path, options.threads)
            follows_load = options.threads is None and device.type == "cpu" and world is ALONE
            if follows_load and threads is None:
                threads, note = _threads_of_new_run()
            warnings = filter(
                None, (note, random_numbers_note(path), processes_note(path, world.size))
            )
            note = "; ".join(warnings) or None
            if isinstance(world, ProcessGroupWorld):
                threads = threads or default_threads_of_process()
                world.send(json.dumps(threads).encode())
            most = torch.get_num_threads()
            with devices.compute_settings(threads=threads):
                digest = batches.dataset.digest()
                write_environment(
                    path,
                    device,
                    digest,
                    dataset.name,
                    world.size,
                    threads_follow_load=follows_load,
                )
                follows_load = follows_load and read_environment(path).threads_follow_load
                choice = ThreadChoice(torch.get_num_threads(), most if follows_load else None)
                files = RunFiles(folder, digest, real, note, notes)
                run = ActiveRun(recipe, options, self.networks, files, batches, state, choice)
            events = run.events()
            while True:
                with devices.compute_settings(threads=choice.count):
                    run.restart_clock()
                    event = next(events, None)
                if event is None:
                    return
                yield event

    def _follow(
        self, batches: Batches, state: TrainState, world: ProcessGroupWorld
    ) -> Iterator[Event]:
        """Train as process 0 says; it alone reads and writes the run folder."""
        options = self.options
        threads = json.loads(world.receive())
        with devices.compute_settings(threads=threads):
            end = Lockstep(state).follow(self.recipe, batches, options.capture, options.should_stop)
        if end == "stopped":
            raise TrainingStopped("process 0 has stopped the run; its message says why")
        images = state.step * batches.batch_size
        yield Finished(RunFolder(self.out, self.recipe), cast(Reason, end), images, state.seconds)


def _threads_of_new_run() -> tuple[int, str | None]:
    """Choose the number of threads, and say so where other processes use the cores."""
    most, threads = torch.get_num_threads(), devices.threads_beside_others()
    if threads == most:
        return threads, None
    return threads, (
        f"other processes use the cores, and beside them {most} threads are slower than "
        f"{counted(threads, 'thread')}, which the run takes; `threads={most}` chooses all"
    )
