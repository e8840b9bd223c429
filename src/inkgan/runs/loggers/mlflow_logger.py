"""MLflow, in a SQLite file beside the run folder unless MLFLOW_TRACKING_URI names another store."""

import os
import time
from collections.abc import Mapping

from inkgan import files
from inkgan.optional_imports import import_extra
from inkgan.runs.loggers.run_logger import LoggedRun, environment
from inkgan.types import UInt8

KEY, EXPERIMENT = "mlflow", "inkgan"
STORE, ARTIFACTS = "mlflow.db", "mlflow-artifacts"  # beside the run folder
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true"}
LONGEST_PARAMETER = 6000  # characters that MLflow accepts


class MlflowLogger:
    """Records metrics, recipe and grids; the step of a metric is the number of images seen."""

    def __init__(self, run: LoggedRun) -> None:
        parent = run.folder.resolve().parent
        own = f"sqlite:///{parent / STORE}"
        uri = own if files.is_offline() else os.environ.get("MLFLOW_TRACKING_URI", own)
        with environment(QUIET):
            self._mlflow = import_extra("mlflow", "mlflow", "`logger='mlflow'`")
            self._entities = import_extra("mlflow.entities", "mlflow", "`logger='mlflow'`")
            self._client = self._mlflow.MlflowClient(tracking_uri=uri)
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME", EXPERIMENT)
            place = (parent / ARTIFACTS).as_uri() if uri == own else None
            self._id = self._opened(run, self._experiment(name, place))

    def scalars(self, images: int, values: Mapping[str, float]) -> None:
        """Record numbers at a count of images seen."""
        now = int(1000 * time.time())
        metrics = [
            self._entities.Metric(key, float(value), now, images) for key, value in values.items()
        ]
        self._client.log_batch(self._id, metrics=metrics)

    def picture(self, images: int, grid: UInt8) -> None:
        """Record a grid at a count of images seen."""
        self._client.log_image(self._id, grid, artifact_file=f"samples/images-{images:010d}.png")

    def close(self, complete: bool) -> None:
        """Say whether the run is complete."""
        self._client.set_terminated(self._id, "FINISHED" if complete else "KILLED")

    def _experiment(self, name: str, place: str | None) -> str:
        known = self._client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        return str(self._client.create_experiment(name, artifact_location=place))

    def _opened(self, run: LoggedRun, experiment: str) -> str:
        """Continue the run of MLflow that belongs to this run folder, or begin one."""
        identity = run.known_id(KEY)
        if identity is not None and self._exists(identity):
            self._client.update_run(identity, status="RUNNING")
            return identity
        made = self._client.create_run(experiment, run_name=run.name)
        identity = str(made.info.run_id)
        parameters = [
            self._entities.Param(key, str(value)[:LONGEST_PARAMETER])
            for key, value in run.recipe.items()
        ]
        self._client.log_batch(identity, params=parameters)
        run.keep_id(KEY, identity)
        return identity

    def _exists(self, identity: str) -> bool:
        try:
            self._client.get_run(identity)
        except self._mlflow.exceptions.MlflowException:
            return False
        return True
