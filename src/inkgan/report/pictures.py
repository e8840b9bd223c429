"""The pictures that a run folder shows: the latest grid, the time-lapse, the curves."""

from inkgan import images
from inkgan.artifacts.run import Run
from inkgan.report.curves import draw_curves


def write_pictures(run: Run, steps_per_epoch: int) -> None:
    """Write grid.png, timeline.gif and curves.png from a run's frames and metrics."""
    frames, batch_size = run.frames(), run.recipe.schedule.images_per_step
    captioned = []
    for path in frames:
        step = run.step_of(path)
        text = f"epoch {step / steps_per_epoch:.1f}   {step * batch_size:,} images"
        captioned.append(images.caption(images.read_picture(path), text))
    seen = run.step_of(frames[-1]) * batch_size
    images.save_png(
        run.grid_path, images.read_picture(frames[-1]), {"images seen": str(seen), "seeds": "0-63"}
    )
    images.save_gif(run.timeline_path, captioned)
    title = f"{run.recipe.name} on {run.recipe.data.name}, {seen:,} images"
    draw_curves(run.curves_path, run.rows(), title)
