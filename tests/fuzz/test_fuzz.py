"""A few dozen damaged inputs for every reader; `python -m tests.fuzz` tries them for longer."""

from itertools import islice
from pathlib import Path

import pytest

from tests.fuzz.harness import load_readers, outcomes

SEED = 0


@pytest.mark.parametrize("name", sorted(load_readers()))
def test_damaged_inputs_are_refused_in_one_line_or_accepted_and_right(
    name: str, tmp_path: Path
) -> None:
    reader = load_readers()[name]
    tried = list(islice(outcomes(reader, tmp_path, SEED), reader.inputs))
    failed = [outcome for outcome in tried if outcome.verdict == "failed"]
    again = f"python -m tests.fuzz {name} --seed {SEED} --first N --inputs 1 tries number N again"
    assert not failed, "\n".join([again, *map(str, failed[:3])])
    assert len(tried) == reader.inputs
