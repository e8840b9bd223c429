"""Adam without what torch wraps around its optimizers for its compiler."""

import inspect

import torch


class EagerAdam(torch.optim.Adam):
    """torch's Adam, to the bit, in a process that never compiles.

    torch wraps these methods so that its compiler leaves them alone, and imports the compiler with
    the first call of any: two seconds of every start. Here they are the functions inside.
    """

    step = torch.no_grad()(inspect.unwrap(torch.optim.Adam.step))
    zero_grad = inspect.unwrap(torch.optim.Adam.zero_grad)
    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)
