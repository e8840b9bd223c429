"""What is due at which step of a run."""

from dataclasses import dataclass

from inkgan.config import Recipe
from inkgan.training.loop import total_steps


@dataclass(frozen=True)
class RunSchedule:
    """The steps of a run at which something is due; it depends on the recipe and the data alone.

    Attributes:
        total_steps: of the whole run.
        sample_steps: from one grid of samples to the next.
        evaluation_steps: from one evaluation to the next.
    """

    total_steps: int
    sample_steps: int
    evaluation_steps: int

    @classmethod
    def of(cls, recipe: Recipe, per_epoch: int) -> "RunSchedule":
        """Return the schedule of a recipe on data with `per_epoch` batches."""
        schedule, size = recipe.schedule, recipe.schedule.images_per_step

        def steps_between(images: int | None) -> int:
            return max(1, round(images / size)) if images else per_epoch

        return cls(
            total_steps(recipe, per_epoch),
            steps_between(schedule.sample_interval),
            steps_between(schedule.evaluation_interval or schedule.sample_interval),
        )

    def is_over(self, step: int) -> bool:
        """Tell whether the run is complete after `step` steps."""
        return step >= self.total_steps

    def is_sample_due(self, step: int) -> bool:
        """Tell whether a grid of samples is due after `step` steps."""
        return step % self.sample_steps == 0

    def is_evaluation_due(self, step: int) -> bool:
        """Tell whether an evaluation is due after `step` steps.

        It depends on the plan alone: where a run happens to be interrupted must not decide which
        checkpoint is the best.
        """
        return step % self.evaluation_steps == 0 or step == self.total_steps
