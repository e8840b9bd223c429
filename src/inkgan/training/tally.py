"""Running means of the training metrics, kept on the device so that no step waits for them."""

import torch

METRICS = (
    "d_loss", "g_loss", "d_real_accuracy", "d_fake_accuracy",
    "d_grad_norm", "g_grad_norm", "real_spread", "fake_spread",
)  # fmt: skip


class Tally:
    """Sums of the metrics over a window of steps."""

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(len(METRICS), dtype=torch.float32, device=device)
        self.count = 0

    def add(self, values: torch.Tensor) -> None:
        """Add one step's metrics, a tensor in the order of METRICS."""
        self.sums += values
        self.count += 1

    def close(self) -> dict[str, float]:
        """Return the means and begin a new window; this is where the device is waited for."""
        means = (self.sums / max(self.count, 1)).tolist()
        self.sums.zero_()
        self.count = 0
        return dict(zip(METRICS, means, strict=True))
