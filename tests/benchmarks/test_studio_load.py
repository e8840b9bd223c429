"""The load of many pages, in its short form."""

from benchmarks import studio_load


def test_no_event_is_lost_or_doubled() -> None:
    load = studio_load.measure(clients=20, seconds=5)
    assert load.rows > 20
    assert load.connections > 20  # some came back
    assert (load.lost, load.doubled, load.failures) == (0, 0, [])
    assert load.pictures > 20
    assert load.memory[1] < 1.2 * load.memory[0]
