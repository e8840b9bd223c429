"""Adam without what torch wraps around its optimizers for its compiler."""

import inspect

import torch


class EagerAdam(torch.optim.Adam):
    """torch's Adam, to the bit, in a process that never compiles.

    torch wraps these methods so that its compiler leaves them alone, and imports the compiler with
    the first call of any: two seconds of every start. Here they are the functions inside.
    """

    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
    step.hooked = True  # else torch wraps it in hooks and records
    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients, whatever `set_to_none` is, without a record for a profiler."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None
