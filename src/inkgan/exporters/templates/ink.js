// From gray pixels to ink: subpixel outlines, and their layout on a line, as in inkgan.handwriting.
// Lengths are in pixels of the generator's images, x to the right and y downwards.

const FINENESS = 4; // samples in a pixel's width of the interpolated image
const MARGIN = 2; // of background, so that ink at the border has an outline there too
const LEAST_AREA = 1; // of a speck or a pinhole worth keeping
const BLURS = 16; // passes over an outline: a standard deviation of about a pixel
// Below, lengths in heights of a digit, and standard deviations at jitter 1.
const [GAP, FARTHEST, CLOSEST, SPACE, REACH] = [0.22, 0.44, 0.13, 0.5, 0.45];
const [RISE, GROWTH, AIR] = [0.035, 0.05, 0.03];
const JITTER = 0.5;
const LATENT_STEP = 0.35; // from a writer's digit to its repetition
const ROWS = 1; // to a pixel, in which gaps between neighbors are measured
const DOT = [[0, 0], [0.02, -0.01]];
// The center lines of punctuation, y upwards from the baseline.
const STROKES = {
  ".": [DOT],
  ",": [[[0.03, 0.02], [0.04, -0.04], [0.02, -0.11], [-0.04, -0.18]]],
  "-": [[[0, 0.4], [0.18, 0.415], [0.36, 0.42]]],
  "/": [[[0, -0.1], [0.19, 0.48], [0.4, 1.06]]],
  ":": [DOT, DOT.map(([x, y]) => [x, y + 0.46])],
};

/** Interpolate one row or column of `field` FINENESS times as fine, by cubic convolution (Keys 1981,
 * a = -0.5). */
function enlargeAlong(field, count, length, step, jump) {
  const fine = new Float32Array(field.length * FINENESS);
  const kernel = (t) =>
    t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
  for (let at = 0; at < length * FINENESS; at++) {
    const centre = (at + 0.5) / FINENESS - 0.5;
    for (let tap = Math.floor(centre) - 1; tap <= Math.floor(centre) + 2; tap++) {
      const from = Math.min(Math.max(tap, 0), length - 1);
      const weight = kernel(Math.abs(centre - tap));
      for (let line = 0; line < count; line++) {
        const to = step === 1 ? line * length * FINENESS + at : at * count + line;
        fine[to] += weight * field[line * jump + from * step];
      }
    }
  }
  return fine;
}

/** Trace the ink of an image in [-1, 1]: closed loops of points [x, y] at half level. */
function trace(image, height, width) {
  const [high, wide] = [height + 2 * MARGIN, width + 2 * MARGIN];
  const padded = new Float32Array(high * wide);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      padded[(y + MARGIN) * wide + x + MARGIN] = (image[y * width + x] + 1) / 2;
    }
  }
  const wider = enlargeAlong(padded, high, wide, 1, wide);
  const fine = enlargeAlong(wider, wide * FINENESS, high, wide * FINENESS, 1);
  return contours(fine, high * FINENESS, wide * FINENESS, 0.5)
    .map((loop) => loop.map((point) => point.map((at) => (at + 0.5) / FINENESS - MARGIN)))
    .filter((loop) => Math.abs(areaOf(loop)) >= LEAST_AREA)
    .map(smooth);
}

/** Blur every second point of a loop along it, to take out the stairs of pixels; what a blur takes away
 * is blurred and given back (Tukey's twicing), so that round ends stay. */
function smooth(loop) {
  const points = loop.filter((_, i) => i % 2 === 0);
  const once = blur(points);
  const lost = blur(points.map(([x, y], i) => [x - once[i][0], y - once[i][1]]));
  return once.map(([x, y], i) => [x + lost[i][0], y + lost[i][1]]);
}

function blur(points) {
  for (let pass = 0; pass < BLURS; pass++) {
    points = points.map(([x, y], i) => {
      const [[a, b], [c, d]] = [points.at(i - 1), points[(i + 1) % points.length]];
      return [(a + 2 * x + c) / 4, (b + 2 * y + d) / 4];
    });
  }
  return points;
}

// Which edges a contour joins in a cell, by its corners above the level: 1 left top, 2 right top,
// 4 right bottom, 8 left bottom. Ink is on the left of the way.
const [TOP, RIGHT, BOTTOM, LEFT] = [0, 1, 2, 3];
const WAYS = [
  [], [[LEFT, TOP]], [[TOP, RIGHT]], [[LEFT, RIGHT]], [[RIGHT, BOTTOM]], null, [[TOP, BOTTOM]],
  [[LEFT, BOTTOM]], [[BOTTOM, LEFT]], [[BOTTOM, TOP]], null, [[BOTTOM, RIGHT]], [[RIGHT, LEFT]],
  [[RIGHT, TOP]], [[TOP, LEFT]], [],
];
// Of two opposite corners: joined where the cell's middle is above the level, else apart.
const SADDLES = {
  5: [[[RIGHT, TOP], [LEFT, BOTTOM]], [[LEFT, TOP], [RIGHT, BOTTOM]]],
  10: [[[TOP, LEFT], [BOTTOM, RIGHT]], [[TOP, RIGHT], [BOTTOM, LEFT]]],
};

/** Follow the lines at a level of a field whose border lies below it (marching squares). */
function contours(field, height, width, level) {
  const next = new Map(); // from edge to edge; an edge is 2 * its left or upper point, + 1 if upright
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = y * width + x;
      const corners = [field[at], field[at + 1], field[at + width + 1], field[at + width]];
      const above = corners.reduce((bits, value, i) => bits | ((value > level) << i), 0);
      if (above === 0 || above === 15) continue;
      const edges = [2 * at, 2 * at + 3, 2 * (at + width), 2 * at + 1];
      const middle = (corners[0] + corners[1] + corners[2] + corners[3]) / 4;
      const ways = WAYS[above] ?? SADDLES[above][middle > level ? 0 : 1];
      for (const [from, to] of ways) next.set(edges[from], edges[to]);
    }
  }
  const crossing = (edge) => {
    const at = edge >> 1;
    const other = edge & 1 ? at + width : at + 1;
    const share = (level - field[at]) / (field[other] - field[at]);
    const [x, y] = [at % width, Math.floor(at / width)];
    return edge & 1 ? [x, y + share] : [x + share, y];
  };
  const loops = [];
  for (const start of next.keys()) {
    const loop = [];
    for (let edge = start; next.has(edge); ) {
      loop.push(crossing(edge));
      const following = next.get(edge);
      next.delete(edge);
      edge = following;
    }
    loops.push(loop);
  }
  return loops;
}

/** The area of a loop by Green's theorem; the sign is its direction. */
function areaOf(loop) {
  return loop.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = loop[(i + 1) % loop.length];
    return sum + (x * nextY - nextX * y) / 2;
  }, 0);
}

/** The thickness of strokes of length l and thickness t, whose area is t l and outline about 2 l. */
function thicknessOf(loops) {
  const length = (loop) =>
    loop.reduce((sum, [x, y], i) => {
      const [nextX, nextY] = loop[(i + 1) % loop.length];
      return sum + Math.hypot(nextX - x, nextY - y);
    }, 0);
  const area = Math.abs(loops.map(areaOf).reduce((a, b) => a + b, 0));
  return (2 * area) / loops.map(length).reduce((a, b) => a + b, 0);
}

/** The smallest upright box around points. */
function boxOf(points) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const [x, y] of points) {
    box.left = Math.min(box.left, x);
    box.top = Math.min(box.top, y);
    box.right = Math.max(box.right, x);
    box.bottom = Math.max(box.bottom, y);
  }
  return box;
}

const round = (value) => String(Math.round(value * 100) / 100);

/** Loops as path data: a quadratic spline that has their points for its control points. */
function pathOf(loops) {
  const between = ([x, y], [u, v]) => `${round((x + u) / 2)} ${round((y + v) / 2)}`;
  return loops
    .map((loop) => {
      const curves = loop.map((point, i) => {
        return `Q${point.map(round).join(" ")} ${between(point, loop[(i + 1) % loop.length])}`;
      });
      return `M${between(loop.at(-1), loop[0])}${curves.join("")}Z`;
    })
    .join("");
}

/** A punctuation mark as strokes of a pen, with the baseline at y = 0. */
function drawMark(mark, pen) {
  const width = pen.thickness * ({ ".": 1.2, ":": 1.2, ",": 1.05 }[mark] ?? 1);
  const lift = ".,:".includes(mark) ? width / 2 : 0; // these rest on the line with their lower edge
  const strokes = STROKES[mark].map((stroke) =>
    stroke.map(([x, y]) => {
      const up = y * pen.height + lift;
      return [x * pen.height + pen.lean * up, -up];
    }),
  );
  const points = strokes.flat();
  const reach = points.flatMap(([x, y]) =>
    [[-1, 0], [1, 0], [0, -1], [0, 1]].map(([u, v]) => [x + (u * width) / 2, y + (v * width) / 2]),
  );
  return { strokes, width, points: [...points, ...reach] };
}

/** Place characters on a line one after the other: neighbors have the same mean gap. */
class Spacer {
  constructor(height) {
    this.height = height;
    this.above = Math.round(2.5 * height * ROWS);
    this.rows = this.above + Math.round(1.5 * height * ROWS);
    this.behind = new Float64Array(this.rows).fill(-Infinity); // the rightmost ink so far
    this.last = null;
  }

  /** Return how far right a character with these points goes. */
  place(points, isMark, air, blanks) {
    const own = this.profile(points, 0);
    const seen = isMark ? this.profile(points, Math.round(REACH * this.height * ROWS)) : own;
    let shift = -Math.min(...own.left);
    if (this.last) {
      const even = this.evenShift(this.last, seen) + air * this.height;
      shift = Math.max(even, this.leastShift(own)) + blanks * SPACE * this.height;
    }
    for (let row = 0; row < this.rows; row++) {
      this.behind[row] = Math.max(this.behind[row], own.right[row] + shift);
    }
    this.last = { left: seen.left.map((x) => x + shift), right: seen.right.map((x) => x + shift) };
    return shift;
  }

  /** The leftmost and rightmost ink of each row; widened, a box that is so many rows taller. */
  profile(points, widened) {
    const left = new Float64Array(this.rows).fill(Infinity);
    const right = new Float64Array(this.rows).fill(-Infinity);
    const row = (y) => Math.min(Math.max(Math.floor(y * ROWS) + this.above, 0), this.rows - 1);
    for (const [x, y] of points) {
      left[row(y)] = Math.min(left[row(y)], x);
      right[row(y)] = Math.max(right[row(y)], x);
    }
    if (widened) {
      const box = boxOf(points);
      left.fill(box.left, Math.max(0, row(box.top) - widened), row(box.bottom) + widened + 1);
      right.fill(box.right, Math.max(0, row(box.top) - widened), row(box.bottom) + widened + 1);
    }
    return { left, right };
  }

  /** The shift that makes the mean gap GAP over the rows that both have; wide gaps count little. */
  evenShift(before, after) {
    const gaps = [...after.left].map((x, row) => x - before.right[row]).filter(Number.isFinite);
    if (!gaps.length) {
      return GAP * this.height + Math.max(...before.right) - Math.min(...after.left);
    }
    const most = FARTHEST * this.height;
    let [low, high] = [-Math.max(...gaps) - this.height, most - Math.min(...gaps)];
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      const mean = gaps.reduce((sum, gap) => sum + Math.min(gap + middle, most), 0) / gaps.length;
      if (mean < GAP * this.height) low = middle;
      else high = middle;
    }
    return high;
  }

  /** The least shift that keeps CLOSEST from all ink placed so far. */
  leastShift(own) {
    const radius = CLOSEST * this.height * ROWS;
    let shift = -Infinity;
    for (let row = 0; row < this.rows; row++) {
      for (let away = -Math.floor(radius); away <= radius; away++) {
        const reach = Math.sqrt(radius ** 2 - away ** 2) / ROWS;
        shift = Math.max(shift, (this.behind[row + away] ?? -Infinity) + reach - own.left[row]);
      }
    }
    return shift;
  }
}

/** Write a text: `outlines` has the loops of each character, null for punctuation and spaces. */
function layOut(text, outlines, pen, hand) {
  const spacer = new Spacer(pen.height);
  const glyphs = [];
  let blanks = 0;
  [...text].forEach((character, position) => {
    if (character === " ") {
      blanks++;
      return;
    }
    const isMark = character in STROKES;
    const glyph = isMark ? drawMark(character, pen) : onBaseline(outlines[position], pen.height);
    if (!glyph) return;
    const [rise, growth, air] = normal(3, hand, "write", "place", position);
    const scale = Math.exp(GROWTH * JITTER * growth);
    const down = RISE * JITTER * rise * pen.height;
    const sized = mapped(glyph, ([x, y]) => [x * scale, y * scale + down]);
    const right = spacer.place(sized.points, isMark, AIR * JITTER * air, blanks);
    glyphs.push(mapped(sized, ([x, y]) => [x + right, y]));
    blanks = 0;
  });
  return glyphs;
}

/** A digit with its left edge at x = 0 and the baseline at y = 0, nearer to the usual height. */
function onBaseline(loops, height) {
  if (!loops.length) return null;
  const box = boxOf(loops.flat());
  const scale = Math.min(1.3, Math.max(1 / 1.3, Math.sqrt(height / (box.bottom - box.top))));
  return mapped({ loops, points: loops.flat() }, ([x, y]) => [
    scale * (x - box.left),
    scale * (y - box.bottom),
  ]);
}

function mapped(glyph, move) {
  return {
    ...glyph,
    points: glyph.points.map(move),
    loops: glyph.loops?.map((loop) => loop.map(move)),
    strokes: glyph.strokes?.map((stroke) => stroke.map(move)),
  };
}

/** A picture of glyphs: its box with a margin, filled paths, and stroked paths with a width. */
function pictureOf(glyphs, margin, box = boxOf(glyphs.flatMap((glyph) => glyph.points))) {
  const line = (stroke) => `M${stroke.map((point) => point.map(round).join(" ")).join("L")}`;
  return {
    left: box.left - margin,
    top: box.top - margin,
    width: box.right - box.left + 2 * margin,
    height: box.bottom - box.top + 2 * margin,
    filled: glyphs.filter((glyph) => glyph.loops).map((glyph) => pathOf(glyph.loops)),
    stroked: glyphs
      .filter((glyph) => glyph.strokes)
      .map((glyph) => ({ width: glyph.width, path: glyph.strokes.map(line).join("") })),
  };
}

/** Draw a picture on a canvas of its proportions. */
function paint(canvas, picture, ink, paper = null) {
  const context = canvas.getContext("2d");
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (paper) {
    context.fillStyle = paper;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height);
  const [spareX, spareY] = [canvas.width / scale, canvas.height / scale];
  context.scale(scale, scale);
  context.translate((spareX - picture.width) / 2, (spareY - picture.height) / 2);
  context.translate(-picture.left, -picture.top);
  context.fillStyle = context.strokeStyle = ink;
  context.lineCap = context.lineJoin = "round";
  for (const path of picture.filled) context.fill(new Path2D(path), "evenodd");
  for (const { path, width } of picture.stroked) {
    context.lineWidth = width;
    context.stroke(new Path2D(path));
  }
}

/** A picture as an SVG document; title and description hold the text and the generator. */
function svgOf(picture, title, description) {
  const escape = (text) =>
    text.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign]);
  const box = [picture.left, picture.top, picture.width, picture.height].map(round);
  const filled = picture.filled.map((path) => `<path d="${path}"/>`);
  const stroked = picture.stroked.map(
    ({ path, width }) => `<path d="${path}" stroke-width="${round(width)}"/>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box.join(" ")}" role="img">
<title>${escape(title)}</title>
<desc>${escape(description)}</desc>
<rect x="${box[0]}" y="${box[1]}" width="${box[2]}" height="${box[3]}" fill="#fff"/>
<g fill-rule="evenodd">${filled.join("")}</g>
<g fill="none" stroke="#000" stroke-linecap="round" stroke-linejoin="round">${stroked.join("")}</g>
</svg>
`;
}
