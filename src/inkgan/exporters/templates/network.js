// The generator: the steps of inkgan.exporters.lowering over typed arrays.

const POWERS = Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 15));

/** Read the numbers of base64 text; little-endian, as browsers' machines are. */
function decodeBlock(text) {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}

/** Turn half-precision numbers (IEEE 754, binary16), given as bits, into single-precision ones. */
function widen(halves) {
  const numbers = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const exponent = (halves[i] >> 10) & 31;
    const fraction = (halves[i] & 1023) / 1024;
    const size = exponent ? (1 + fraction) * POWERS[exponent] : fraction * POWERS[1];
    numbers[i] = halves[i] & 0x8000 ? -size : size;
  }
  return numbers;
}

/** Put Float32Arrays in the places of tensors, in all steps. */
function load(steps, block) {
  const array = ({ at, size, half }) =>
    half ? widen(new Uint16Array(block, at, size)) : new Float32Array(block, at, size);
  return steps.map((step) =>
    Object.fromEntries(
      Object.entries(step).map(([key, value]) => {
        if (key === "steps") return [key, load(value, block)];
        return [key, value?.size === undefined ? value : array(value)];
      }),
    ),
  );
}

const ACTIONS = {
  concat_label(x, { classes }, label) {
    const joined = new Float32Array(x.length + classes);
    joined.set(x);
    joined[x.length + label] = 1;
    return joined;
  },
  scale_by_label(x, { table }, label) {
    return x.map((value, i) => value * table[label * x.length + i]);
  },
  dense(x, { weight, bias, outputs }) {
    const sums = new Float32Array(outputs);
    if (bias) sums.set(bias);
    addProducts(sums, 0, weight, 0, gather(x, x.length, outputs), 0, outputs);
    return sums;
  },
  affine(x, { rows, channels, scales, offsets }, label) {
    const row = rows > 1 ? label * channels : 0;
    for (let start = 0; start < x.length; start += channels) {
      for (let c = 0; c < channels; c++) {
        x[start + c] = x[start + c] * scales[row + c] + offsets[row + c];
      }
    }
    return x;
  },
  leaky_relu(x, { slope }) {
    for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] *= slope;
    return x;
  },
  conv_transpose(x, step) {
    const { weight, bias, inputs, outputs, kernel, stride, height, width } = step;
    const { out_height, out_width } = step;
    const maps = new Float32Array(out_height * out_width * outputs);
    if (bias) for (let at = 0; at < maps.length; at += outputs) maps.set(bias, at);
    const pixels = gather(x, inputs, outputs);
    // One tap of the kernel after the other, so that its weights stay in the cache.
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const down = Math.floor(tap / kernel) - step.top;
      const right = (tap % kernel) - step.left;
      const from = tap * inputs * outputs;
      for (let row = 0; row < height; row++) {
        const y = row * stride + down;
        if (y < 0 || y >= out_height) continue;
        for (let column = 0; column < width; column++) {
          const at = column * stride + right;
          if (at < 0 || at >= out_width) continue;
          const to = (y * out_width + at) * outputs;
          addProducts(maps, to, weight, from, pixels, row * width + column, outputs);
        }
      }
    }
    return maps;
  },
  upsample(x, { height, width }) {
    const channels = x.length / (height * width);
    const maps = new Float32Array(4 * x.length);
    for (let row = 0; row < 2 * height; row++) {
      const [above, below, lower] = between(row, height);
      for (let column = 0; column < 2 * width; column++) {
        const [before, after, later] = between(column, width);
        for (let c = 0; c < channels; c++) {
          const at = (y, z) => x[(y * width + z) * channels + c];
          maps[(row * 2 * width + column) * channels + c] =
            (1 - lower) * ((1 - later) * at(above, before) + later * at(above, after)) +
            lower * ((1 - later) * at(below, before) + later * at(below, after));
        }
      }
    }
    return maps;
  },
  residual(x, { steps }, label) {
    const added = run(steps, x.slice(), label);
    return x.map((value, i) => value + added[i]);
  },
  tanh(x) {
    return x.map(Math.tanh);
  },
  clamp(x) {
    return x.map((value) => Math.max(-1, Math.min(1, value)));
  },
  rotate(x) {
    return x.reverse(); // of maps with one channel
  },
};

/** List what is not zero in each pixel of `inputs` numbers: half of them, behind a ReLU.
 *
 * Pixel p has values[ends[p]] to values[ends[p + 1] - 1], and `rows` tells where the weights of each
 * lie in a matrix (inputs, outputs). */
function gather(x, inputs, outputs) {
  const ends = new Int32Array(x.length / inputs + 1);
  const rows = new Int32Array(x.length);
  const values = new Float32Array(x.length);
  let count = 0;
  for (let pixel = 0; pixel + 1 < ends.length; pixel++) {
    for (let i = 0; i < inputs; i++) {
      const value = x[pixel * inputs + i];
      if (value === 0) continue;
      rows[count] = i * outputs;
      values[count++] = value;
    }
    ends[pixel + 1] = count;
  }
  return { ends, rows, values };
}

/** Add a gathered pixel times the matrix (inputs, outputs) at `from` in `weight` to `target` at `to`.
 *
 * Four rows at once cost a third of the time of one by one: sums are read and written less often. */
function addProducts(target, to, weight, from, { ends, rows, values }, pixel, outputs) {
  const end = ends[pixel + 1];
  let k = ends[pixel];
  for (; k + 3 < end; k += 4) {
    const [a, b, c, d] = [values[k], values[k + 1], values[k + 2], values[k + 3]];
    const [p, q] = [from + rows[k], from + rows[k + 1]];
    const [r, s] = [from + rows[k + 2], from + rows[k + 3]];
    for (let i = 0; i < outputs; i++) {
      target[to + i] += a * weight[p + i] + b * weight[q + i] + c * weight[r + i] + d * weight[s + i];
    }
  }
  for (; k < end; k++) {
    const [value, row] = [values[k], from + rows[k]];
    for (let i = 0; i < outputs; i++) target[to + i] += value * weight[row + i];
  }
}

/** Return the two pixels between which a pixel of twice the size lies, and the second one's share. */
function between(place, length) {
  const center = Math.max(0, (place + 0.5) / 2 - 0.5);
  const first = Math.floor(center);
  return [first, Math.min(first + 1, length - 1), center - first];
}

/** Map a latent, and a label where there are classes, to an image in [-1, 1], row by row. */
function run(steps, latent, label) {
  return steps.reduce((x, step) => ACTIONS[step.kind](x, step, label), latent);
}
