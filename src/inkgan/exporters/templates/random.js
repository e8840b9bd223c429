// The random numbers of inkgan.rng, to the bit: the counter-based generator Philox, with the seed as its key and
// the BLAKE2b hash of the address in its counter, and normal numbers by a table. So writer 7 is the same in Python.

const WORD = (1n << 64n) - 1n;
// The first 64 bits of the fractional parts of the square roots of 2, 3, 5 ... (RFC 7693, section 2.6).
const BLAKE_START = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
];
const BLAKE_ORDER = [
  "0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
  "2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
  "0123456789abcdef", "ea489fd61c02b753",
].map((row) => [...row].map((digit) => parseInt(digit, 16)));

/** Hash at most 128 bytes of text with BLAKE2b (RFC 7693) of 8 bytes; return these as a big-endian
 * number. */
function blake2b(text) {
  const bytes = new Uint8Array(128);
  const { written, read } = new TextEncoder().encodeInto(text, bytes);
  if (read < text.length) throw new RangeError("the address is longer than one block");
  const message = [...new BigUint64Array(bytes.buffer)]; // little-endian, as browsers' machines are
  const hash = [...BLAKE_START];
  hash[0] ^= 0x01010000n ^ 8n;
  const v = [...hash, ...BLAKE_START];
  v[12] ^= BigInt(written);
  v[14] ^= WORD;
  const rotate = (x, count) => (x >> count) | ((x << (64n - count)) & WORD);
  const mix = (a, b, c, d, x, y) => {
    v[a] = (v[a] + v[b] + x) & WORD;
    v[d] = rotate(v[d] ^ v[a], 32n);
    v[c] = (v[c] + v[d]) & WORD;
    v[b] = rotate(v[b] ^ v[c], 24n);
    v[a] = (v[a] + v[b] + y) & WORD;
    v[d] = rotate(v[d] ^ v[a], 16n);
    v[c] = (v[c] + v[d]) & WORD;
    v[b] = rotate(v[b] ^ v[c], 63n);
  };
  for (const order of BLAKE_ORDER) {
    const m = order.map((place) => message[place]);
    for (let i = 0; i < 4; i++) mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1]);
    for (let i = 0; i < 4; i++) {
      mix(i, 4 + ((i + 1) % 4), 8 + ((i + 2) % 4), 12 + ((i + 3) % 4), m[8 + 2 * i], m[9 + 2 * i]);
    }
  }
  const first = new DataView(new ArrayBuffer(8));
  first.setBigUint64(0, hash[0] ^ v[0] ^ v[8], true);
  return first.getBigUint64(0);
}

/** Return the upper 32 bits of the product of two 32-bit numbers; all parts stay below 2^53. */
function upperProduct(a, b) {
  const [highA, lowA, highB, lowB] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const first = highA * lowB + Math.floor((lowA * lowB) / 65536);
  const second = lowA * highB + (first % 65536);
  return (highA * highB + Math.floor(first / 65536) + Math.floor(second / 65536)) >>> 0;
}

/** Apply Philox4x32-10 (Salmon et al. 2011) to a counter of four words, with a key of two. */
function philox([c0, c1, c2, c3], [k0, k1]) {
  for (let round = 0; round < 10; round++) {
    const next = [
      upperProduct(0xcd9e8d57, c2) ^ c1 ^ k0, Math.imul(0xcd9e8d57, c2),
      upperProduct(0xd2511f53, c0) ^ c3 ^ k1, Math.imul(0xd2511f53, c0),
    ];
    [c0, c1, c2, c3] = next.map((word) => word >>> 0);
    [k0, k1] = [(k0 + 0x9e3779b9) >>> 0, (k1 + 0xbb67ae85) >>> 0];
  }
  return [c0, c1, c2, c3];
}

/** Return `count` standard normal numbers that belong to a seed and an address. */
function normal(count, seed, ...address) {
  const halves = (x) => [Number(x & 0xffffffffn), Number(x >> 32n)];
  const [stream, key] = [halves(blake2b(address.join("/"))), halves(BigInt(seed))];
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 4) {
    const words = philox([i / 4, 0, ...stream], key);
    for (let k = 0; k < 4 && i + k < count; k++) numbers[i + k] = inverseNormal(words[k]);
  }
  return numbers;
}

let normalTable = null; // cubics of 513 segments, the highest power first

/** Turn a word of 32 bits into a normal number; each sum and product is rounded to float32. */
function inverseNormal(word) {
  normalTable ??= new Float32Array(decodeBlock($("normal-table").textContent));
  const bits = new Uint32Array(
    Float32Array.of(Math.fround(Math.fround(word & 0x7fffffff) + 0.5)).buffer,
  )[0];
  const segment = 4 * ((bits >>> 19) - (126 << 4));
  const place = bits & 0x7ffff;
  let value = normalTable[segment];
  for (let i = 1; i < 4; i++) {
    value = Math.fround(Math.fround(value * place) + normalTable[segment + i]);
  }
  return word >>> 31 ? -value : value;
}
