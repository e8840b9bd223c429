"""Lesson 0: the gradients that the page writes out, and a ring that is found."""

from typing import Any

from tests.studio.browser import Server

GRADIENTS = """async () => {
  const { network, forward, backward, randomOf } = await import("/static/plane.js");
  const random = randomOf(3);
  const layers = network([2, 7, 5, 1], random);
  const input = Float64Array.from({ length: 8 }, () => random.normal());
  const outputs = () => forward(layers, input, 4).output;
  const loss = () => outputs().reduce((sum, v, i) => sum + (i + 1) * v ** 2, 0);
  const run = forward(layers, input, 4);
  const atInput = backward(layers, run.steps, run.output.map((v, i) => 2 * (i + 1) * v), 4);
  const gaps = [];
  const check = (values, gradient) => values.forEach((value, at) => {
    const h = 1e-5;
    values[at] = value + h;
    const above = loss();
    values[at] = value - h;
    const below = loss();
    values[at] = value;
    gaps.push(Math.abs((above - below) / (2 * h) - gradient[at]) / (1 + Math.abs(gradient[at])));
  });
  for (const layer of layers) {
    check(layer.weights, layer.weightsGradient);
    check(layer.biases, layer.biasesGradient);
  }
  check(input, atInput);
  return Math.max(...gaps);
}"""
ADAM = """async () => {
  const { network, update, randomOf } = await import("/static/plane.js");
  const [layer] = network([1, 1], randomOf(1));
  layer.weights[0] = 1;
  layer.weightsGradient[0] = 0.25;
  update([layer], 0.1, 1);
  return [layer.weights[0], layer.weightsGradient[0]];
}"""
RING = """async () => {
  const { Game } = await import("/static/plane.js");
  const play = () => {
    const game = new Game({ data: "ring", seed: 1 });
    for (let step = 0; step < 600; step++) game.train();
    return [game.coverage().modes, Array.from(game.drawn())];
  };
  const [[modes, one], [, other]] = [play(), play()];
  return [modes, one.every((value, at) => value === other[at])];
}"""


def test_gradients_are_those_of_differences(page: Any) -> None:
    assert page.evaluate(GRADIENTS) < 1e-6


def test_the_first_step_of_adam_is_the_learning_rate(page: Any) -> None:
    moved, cleared = page.evaluate(ADAM)
    assert abs(moved - 0.9) < 1e-6
    assert cleared == 0


def test_the_ring_is_found_and_a_seed_gives_the_same_game(page: Any) -> None:
    modes, is_same = page.evaluate(RING)
    assert modes >= 4
    assert is_same


def test_the_lesson_can_be_stepped_and_played(page: Any, server: Server) -> None:
    page.goto(f"{server.base}/#/plane?data=grid&loss=minimax")
    page.wait_for_selector("[data-ready=plane]")
    page.get_by_role("button", name="Single step").click()
    assert page.locator("[data-step]").get_attribute("data-step") == "1"
    assert "Step 1" in page.inner_text(".sentence")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function("() => Number(document.querySelector('[data-step]').dataset.step) > 20")
    page.get_by_role("button", name="Pause").click()
    assert "data=grid" in page.url
