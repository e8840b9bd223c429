// The page: its settings, and drawing a digit at a time, so that sliders stay quick.

const generator = JSON.parse(document.getElementById("generator").textContent);
const steps = load(generator.steps, decodeBlock(document.getElementById("weights").textContent));
const { classes, styles, latentDim, height, width } = generator;
const isConditional = classes.length > 0;
const TILES = isConditional ? classes.length : 10;
const $ = (id) => document.getElementById(id);

const settings = { tile: Math.min(3, TILES - 1), writer: 7, variety: 1, styles: styles.map(() => null) };
let drawn = new Map(); // images with the current settings, by label, writer and repetition
let [turn, writing] = [0, 0]; // of drawing and of writing: a newer request ends the older one's work

// --- what is drawn ---

/** The latent of a writer; for the k-th repetition of a class it moves a step, staying normal. */
function latentOf(writer, repetition = 0, name = "") {
  let latent = normal(latentDim, writer, "sample");
  if (repetition) {
    const step = JITTER * LATENT_STEP;
    const direction = normal(latentDim, writer, "write", "repeat", name, repetition);
    latent = latent.map((z, i) => Math.sqrt(1 - step ** 2) * z + step * direction[i]);
  }
  latent = latent.map((z) => z * settings.variety);
  settings.styles.forEach((z, i) => {
    if (z !== null) latent[i] = z;
  });
  return latent;
}

/** Return an image with the current settings, and its outline; it is drawn once. */
function imageOf(label, writer, repetition = 0) {
  const key = [label, writer, repetition].join();
  if (!drawn.has(key)) {
    const image = run(steps, latentOf(writer, repetition, classes[label]), label);
    drawn.set(key, { image, loops: trace(image, height, width) });
  }
  return drawn.get(key);
}

/** Which label and writer a tile shows: the classes of one writer, or ten writers. */
function tileOf(index) {
  return isConditional ? [index, settings.writer] : [0, settings.writer + index];
}

function nameOf(index) {
  const [label, writer] = tileOf(index);
  return isConditional ? `${classes[label]} by writer ${writer}` : `Writer ${writer}`;
}

// --- where it is shown ---

/** Give a canvas as many pixels as the screen has for it. */
function fit(canvas) {
  const { width: wide, height: high } = canvas.getBoundingClientRect();
  const ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
}

const inkColor = () => getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();

/** Show an image as clean ink, or as the gray pixels that the network gave. */
function show(canvas, { image, loops }) {
  fit(canvas);
  if (!$("pixels").checked) {
    const box = { left: 0, top: 0, right: width, bottom: height };
    paint(canvas, pictureOf(loops.length ? [{ loops, points: [] }] : [], 0, box), inkColor());
    return;
  }
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = inkColor();
  const [wide, high] = [canvas.width / width, canvas.height / height];
  image.forEach((value, at) => {
    const [x, y] = [at % width, Math.floor(at / width)];
    const [left, top] = [Math.round(x * wide), Math.round(y * high)];
    context.globalAlpha = Math.round((value + 1) * 127.5) / 255;
    context.fillRect(left, top, Math.round((x + 1) * wide) - left, Math.round((y + 1) * high) - top);
  });
  context.globalAlpha = 1;
}

/** Draw the current settings: the large image at once, the others as time allows. */
async function refresh() {
  const mine = ++turn;
  writing++; // the number being written is by an earlier writer
  drawn = new Map();
  showSettings();
  const started = performance.now();
  const current = imageOf(...tileOf(settings.tile));
  const took = performance.now() - started;
  show($("digit"), current);
  $("digit").setAttribute("aria-label", nameOf(settings.tile));
  $("status").textContent = `${nameOf(settings.tile)}, drawn in ${Math.max(1, Math.round(took))} ms`;
  document.documentElement.dataset.ready = "digit";
  for (let index = 0; index < TILES; index++) {
    await new Promise((resolve) => setTimeout(resolve));
    if (mine !== turn) return;
    show(tiles[index].canvas, imageOf(...tileOf(index)));
    tiles[index].input.setAttribute("aria-label", nameOf(index));
  }
  if (generator.writes) await write();
  if (mine === turn) document.documentElement.dataset.ready = "all";
}

/** Show another tile, of those that are there, in the large picture. */
function choose(index) {
  settings.tile = index;
  show($("digit"), imageOf(...tileOf(index)));
  $("digit").setAttribute("aria-label", nameOf(index));
  $("status").textContent = nameOf(index);
  showSettings();
}

// --- the number ---

let number = null; // what is written: text, writer and picture

/** Write the number, as long as no newer request has come. */
async function write() {
  const mine = ++writing;
  allowSaving(false);
  const text = $("text").value.replace(/\s+/g, " ").trim();
  const strange = [...text].find((sign) => !"0123456789.,-/: ".includes(sign));
  $("text").setAttribute("aria-invalid", String(strange !== undefined));
  $("problem").textContent =
    strange === undefined ? "" : `No one here can write “${strange}”: digits, spaces and . , - / : only`;
  if (strange !== undefined) return;
  const written = {};
  const outlines = [];
  for (const character of text) {
    const repetition = (written[character] ??= 0);
    written[character]++;
    const label = classes.indexOf(character);
    outlines.push(label < 0 ? null : imageOf(label, settings.writer, repetition).loops);
    await new Promise((resolve) => setTimeout(resolve));
    if (mine !== writing) return;
  }
  const pen = penOf();
  const glyphs = layOut(text, outlines, pen, settings.writer);
  number = null;
  if (glyphs.length) {
    number = { text, writer: settings.writer, picture: pictureOf(glyphs, pen.height / 4) };
  }
  allowSaving(number !== null);
  showNumber();
}

function allowSaving(isPossible) {
  for (const id of ["save-png", "save-svg"]) $(id).disabled = !isPossible;
}

function showNumber() {
  const canvas = $("number");
  const picture = number?.picture;
  canvas.style.aspectRatio = picture ? `${picture.width} / ${picture.height}` : "";
  fit(canvas);
  if (picture) paint(canvas, picture, inkColor());
  canvas.setAttribute("aria-label", number ? `${number.text} by writer ${number.writer}` : "Nothing");
}

/** The height, thickness and lean of this writer, as medians of its digits. */
function penOf() {
  const images = classes.map((_, label) => imageOf(label, settings.writer));
  const inked = images.filter(({ loops }) => loops.length);
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1] ?? 1;
  return {
    height: median(
      inked.map(({ loops }) => {
        const box = boxOf(loops.flat());
        return box.bottom - box.top;
      }),
    ),
    thickness: median(inked.map(({ loops }) => thicknessOf(loops))),
    lean: median(inked.map(({ image }) => leanOf(image))),
  };
}

/** The tangent of the angle from the vertical, from moments of the ink; positive to the right. */
function leanOf(image) {
  let [mass, meanX, meanY, both, down] = [0, 0, 0, 0, 0];
  const each = (action) =>
    image.forEach((value, at) => action((value + 1) / 2, at % width, Math.floor(at / width)));
  each((ink, x, y) => {
    mass += ink;
    meanX += ink * x;
    meanY += ink * y;
  });
  each((ink, x, y) => {
    both += ink * (x - meanX / mass) * (y - meanY / mass);
    down += ink * (y - meanY / mass) ** 2;
  });
  return -both / down;
}

function save(blob, ending) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${number.text.replace(/[^0-9-]+/g, "_")}-writer-${number.writer}.${ending}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function savePng() {
  const canvas = document.createElement("canvas");
  const { picture } = number;
  [canvas.width, canvas.height] = [Math.round((512 * picture.width) / picture.height), 512];
  paint(canvas, picture, "#000", "#fff");
  canvas.toBlob((blob) => save(blob, "png"), "image/png");
}

function saveSvg() {
  const origin = `Writer ${number.writer} of ${generator.name}, ${generator.digest}`;
  const drawing = svgOf(number.picture, number.text, origin);
  save(new Blob([drawing], { type: "image/svg+xml" }), "svg");
}

// --- the controls ---

const tiles = Array.from({ length: TILES }, (_, index) => {
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "tile" });
  const canvas = document.createElement("canvas");
  const caption = document.createElement("span");
  caption.textContent = isConditional ? classes[index] : `+${index}`;
  canvas.setAttribute("aria-hidden", "true");
  caption.setAttribute("aria-hidden", "true");
  input.setAttribute("aria-label", nameOf(index));
  input.addEventListener("change", () => choose(index));
  label.append(input, canvas, caption);
  $("tiles").append(label);
  return { input, canvas };
});

const sliders = styles.map((style, index) => {
  const slider = $(`style-${style}`);
  slider.addEventListener("input", () => {
    settings.styles[index] = slider.valueAsNumber;
    refresh();
  });
  return slider;
});

/** What a style usually measures where its coordinate is z: of the class in the large picture. */
function measureAt(style, z) {
  const values = generator.calibration[style][tileOf(settings.tile)[0]];
  const place = (Math.min(Math.max(z / generator.limit, -1), 1) + 1) * (values.length - 1) * 0.5;
  const low = Math.min(Math.floor(place), values.length - 2);
  return values[low] + (place - low) * (values[low + 1] - values[low]);
}

/** A style in degrees or pixels; in standard deviations where no draws could be measured. */
function shownOf(style, z) {
  const dashed = (value, digits) => value.toFixed(digits).replace("-", "−");
  if (!generator.calibration) return (z < 0 ? "" : "+") + dashed(z, 1);
  const [unit, value] = [generator.units[style], measureAt(style, z)];
  return `about ${unit === "°" ? dashed(Math.round(value) + 0, 0) : dashed(value, 1)}${unit}`;
}

/** Set all controls to the current settings. */
function showSettings() {
  const latent = latentOf(tileOf(settings.tile)[1]);
  tiles[settings.tile].input.checked = true;
  $("writer").value = settings.writer;
  $("variety").value = settings.variety;
  $("variety-shown").textContent = settings.variety.toFixed(2);
  sliders.forEach((slider, index) => {
    slider.value = latent[index];
    $(`${slider.id}-shown`).textContent = shownOf(index, latent[index]);
    slider.setAttribute("aria-valuetext", shownOf(index, latent[index]));
  });
  $("reset").disabled = settings.variety === 1 && settings.styles.every((z) => z === null);
}

function setWriter(writer) {
  settings.writer = writer;
  settings.styles.fill(null);
  refresh();
}

$("writer").addEventListener("change", () => {
  const writer = Math.floor($("writer").valueAsNumber);
  setWriter(writer >= 0 ? Math.min(writer, Number.MAX_SAFE_INTEGER - TILES) : settings.writer);
});
$("another").addEventListener("click", () => setWriter(Math.floor(Math.random() * 10_000)));
$("variety").addEventListener("input", () => {
  settings.variety = $("variety").valueAsNumber;
  refresh();
});
$("reset").addEventListener("click", () => {
  settings.variety = 1;
  setWriter(settings.writer);
});
$("pixels").addEventListener("change", showAll);
$("text")?.addEventListener("input", write);
$("save-png")?.addEventListener("click", savePng);
$("save-svg")?.addEventListener("click", saveSvg);

/** Show again what has been drawn: in other colors, or at another size. */
function showAll() {
  choose(settings.tile);
  tiles.forEach(({ canvas }, index) => show(canvas, imageOf(...tileOf(index))));
  if (generator.writes) showNumber();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showAll);
let resized;
window.addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(showAll, 100);
});
refresh();
