// A GAN in the plane: two small networks with their gradients written out, on two-dimensional data.
// Symbols follow Goodfellow et al. 2014: G(z), D(x), and V for the value of the game.

const SLOPE = 0.2; // of the leaky rectifier below 0
const [BETA1, BETA2, EPSILON] = [0.5, 0.99, 1e-8]; // of Adam

/** Random numbers that belong to a seed (mulberry32), uniform and normal. */
export function randomOf(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

const ring = (count) => Array.from({ length: count }, (_, k) => [0.75 * Math.cos((2 * Math.PI * k) / count), 0.75 * Math.sin((2 * Math.PI * k) / count)]);
const lattice = (side) => Array.from({ length: side * side }, (_, k) => [(-0.8 + (1.6 * (k % side)) / (side - 1)), -0.8 + (1.6 * Math.floor(k / side)) / (side - 1)]);

/** The data sets: centers of Gaussians, and their standard deviation. */
export const DATA = {
  ring: { title: "Ring of 8 Gaussians", centers: ring(8), deviation: 0.03 },
  grid: { title: "Grid of 25 Gaussians", centers: lattice(5), deviation: 0.025 },
  two: { title: "Two Gaussians", centers: [[-0.5, 0], [0.5, 0]], deviation: 0.08 },
};

/** Draw real points, as one array x0 y0 x1 y1 ... */
export function realPoints(data, count, random) {
  const points = new Float64Array(2 * count);
  for (let i = 0; i < count; i++) {
    const center = data.centers[Math.floor(random.uniform() * data.centers.length)];
    points[2 * i] = center[0] + data.deviation * random.normal();
    points[2 * i + 1] = center[1] + data.deviation * random.normal();
  }
  return points;
}

/** A network of dense layers, leaky rectifiers between them; weights N(0, 2 / inputs). */
export function network(widths, random) {
  return widths.slice(1).map((outputs, at) => {
    const inputs = widths[at];
    const weights = Float64Array.from({ length: inputs * outputs }, () => Math.sqrt(2 / inputs) * random.normal());
    const layer = { inputs, outputs, weights, biases: new Float64Array(outputs) };
    for (const name of ["weights", "biases"]) {
      layer[`${name}Gradient`] = new Float64Array(layer[name].length);
      layer[`${name}Mean`] = new Float64Array(layer[name].length);
      layer[`${name}Square`] = new Float64Array(layer[name].length);
    }
    return layer;
  });
}

/** Run a batch through a network; the result holds what `backward` needs. */
export function forward(layers, input, count) {
  const steps = [input];
  let values = input;
  layers.forEach(({ inputs, outputs, weights, biases }, at) => {
    const next = new Float64Array(count * outputs);
    for (let i = 0; i < count; i++) {
      for (let o = 0; o < outputs; o++) {
        let sum = biases[o];
        for (let k = 0; k < inputs; k++) sum += values[i * inputs + k] * weights[o * inputs + k];
        next[i * outputs + o] = at < layers.length - 1 && sum < 0 ? SLOPE * sum : sum;
      }
    }
    steps.push(next);
    values = next;
  });
  return { output: values, steps };
}

/** Add the gradients of a loss to the layers; return its gradient at the input. */
export function backward(layers, steps, outputGradient, count) {
  let gradient = outputGradient;
  for (let at = layers.length - 1; at >= 0; at--) {
    const { inputs, outputs, weights, weightsGradient, biasesGradient } = layers[at];
    const [values, result] = [steps[at], steps[at + 1]];
    const before = new Float64Array(count * inputs);
    for (let i = 0; i < count; i++) {
      for (let o = 0; o < outputs; o++) {
        const place = i * outputs + o;
        const slope = at < layers.length - 1 && result[place] < 0 ? SLOPE : 1;
        const g = gradient[place] * slope;
        biasesGradient[o] += g;
        for (let k = 0; k < inputs; k++) {
          weightsGradient[o * inputs + k] += g * values[i * inputs + k];
          before[i * inputs + k] += g * weights[o * inputs + k];
        }
      }
    }
    gradient = before;
  }
  return gradient;
}

/** Move the weights against their gradients by Adam (Kingma and Ba 2015), and clear the gradients. */
export function update(layers, rate, step) {
  for (const layer of layers) {
    for (const name of ["weights", "biases"]) {
      const [values, gradient, mean, square] = [layer[name], layer[`${name}Gradient`], layer[`${name}Mean`], layer[`${name}Square`]];
      for (let i = 0; i < values.length; i++) {
        mean[i] = BETA1 * mean[i] + (1 - BETA1) * gradient[i];
        square[i] = BETA2 * square[i] + (1 - BETA2) * gradient[i] ** 2;
        values[i] -= (rate * (mean[i] / (1 - BETA1 ** step))) / (Math.sqrt(square[i] / (1 - BETA2 ** step)) + EPSILON);
        gradient[i] = 0;
      }
    }
  }
}

const forget = (layers) => {
  for (const layer of layers) for (const name of ["weights", "biases"]) layer[`${name}Gradient`].fill(0);
};
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const softplus = (x) => (x > 0 ? x : 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** A game between two networks on one data set. */
export class Game {
  constructor({ data = "ring", seed = 1, latent = 2, width = 32, batch = 64, rateG = 1e-3, rateD = 1e-3, loss = "non-saturating" } = {}) {
    Object.assign(this, { data: DATA[data], latent, batch, rateG, rateD, loss });
    this.random = randomOf(seed);
    this.generator = network([latent, width, width, 2], this.random);
    this.discriminator = network([2, width, width, 1], this.random);
    this.step = 0;
    const fixed = randomOf(seed + 1);
    this.fixed = Float64Array.from({ length: 256 * latent }, () => fixed.normal());
    this.real = realPoints(this.data, 256, fixed);
    this.losses = { d: NaN, g: NaN };
  }

  latents() {
    return Float64Array.from({ length: this.batch * this.latent }, () => this.random.normal());
  }

  /** Update the discriminator, then the generator. */
  train() {
    const n = this.batch;
    this.step++;
    // the discriminator maximizes V = E[log D(x)] + E[log(1 - D(G(z)))]
    const real = forward(this.discriminator, realPoints(this.data, n, this.random), n);
    const fake = forward(this.discriminator, forward(this.generator, this.latents(), n).output, n);
    backward(this.discriminator, real.steps, real.output.map((logit) => -sigmoid(-logit) / n), n);
    backward(this.discriminator, fake.steps, fake.output.map((logit) => sigmoid(logit) / n), n);
    this.losses.d = mean(real.output, (logit) => softplus(-logit)) + mean(fake.output, softplus);
    update(this.discriminator, this.rateD, this.step);
    // the generator minimizes -E[log D(G(z))], or E[log(1 - D(G(z)))] if the loss saturates
    const drawn = forward(this.generator, this.latents(), n);
    const rated = forward(this.discriminator, drawn.output, n);
    const saturates = this.loss === "minimax";
    const gradient = rated.output.map((logit) => (saturates ? -sigmoid(logit) : -sigmoid(-logit)) / n);
    backward(this.generator, drawn.steps, backward(this.discriminator, rated.steps, gradient, n), n);
    this.losses.g = mean(rated.output, (logit) => (saturates ? -softplus(logit) : softplus(-logit)));
    forget(this.discriminator);
    update(this.generator, this.rateG, this.step);
  }

  /** The points of the fixed latents. */
  drawn() {
    return forward(this.generator, this.fixed, this.fixed.length / this.latent).output;
  }

  /** D at points, as probabilities. */
  belief(points) {
    return forward(this.discriminator, points, points.length / 2).output.map(sigmoid);
  }

  /** How the generator's loss would move points: minus its gradient there. */
  pull(points) {
    const n = points.length / 2;
    const rated = forward(this.discriminator, points, n);
    const saturates = this.loss === "minimax";
    const moved = backward(this.discriminator, rated.steps, rated.output.map((logit) => (saturates ? sigmoid(logit) : sigmoid(-logit))), n);
    forget(this.discriminator);
    return moved;
  }

  /** How many centers have a drawn point within 4 standard deviations, and the share of points that have one. */
  coverage() {
    const points = this.drawn();
    const near = 4 * this.data.deviation;
    const found = new Set();
    let good = 0;
    for (let i = 0; i < points.length; i += 2) {
      const at = this.data.centers.findIndex(([x, y]) => Math.hypot(points[i] - x, points[i + 1] - y) < near);
      if (at >= 0) {
        found.add(at);
        good++;
      }
    }
    return { modes: found.size, of: this.data.centers.length, share: good / (points.length / 2) };
  }
}

const mean = (values, of) => values.reduce((sum, value) => sum + of(value), 0) / values.length;
