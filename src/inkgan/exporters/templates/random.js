// The random numbers of inkgan.rng: BLAKE2b hashes a seed and an address into the seed of a Mersenne
// Twister, and normal numbers are drawn from it as torch.randn draws them. So writer 7 is the same in Python.

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

/** Return a function that gives the 32-bit numbers of MT19937 (Matsumoto and Nishimura 1998). */
function mersenneTwister(seed) {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) {
    state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  }
  let place = 624;
  const renew = () => {
    for (let i = 0; i < 624; i++) {
      const joined = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    place = 0;
  };
  return () => {
    if (place === 624) renew();
    let x = state[place++];
    x ^= x >>> 11;
    x ^= (x << 7) & 0x9d2c5680;
    x ^= (x << 15) & 0xefc60000;
    return (x ^ (x >>> 18)) >>> 0;
  };
}

/** Return `count` standard normal numbers that belong to a seed and an address. */
function normal(count, seed, ...address) {
  const random = mersenneTwister(
    Number((blake2b([seed, ...address].join("/")) >> 1n) & 0xffffffffn),
  );
  return count < 16 ? fewNormal(count, random) : manyNormal(count, random);
}

/** torch's algorithm for 16 numbers and more: Box and Muller's, in blocks of 16, from 24-bit fractions. */
function manyNormal(count, random) {
  const numbers = new Float32Array(count);
  const fill = (start, end) => {
    for (let i = start; i < end; i++) numbers[i] = (random() & 0xffffff) / 2 ** 24;
  };
  const turn = (start) => {
    for (let i = start; i < start + 8; i++) {
      const radius = Math.sqrt(-2 * Math.log(1 - numbers[i]));
      const angle = 2 * Math.PI * numbers[i + 8];
      numbers[i] = radius * Math.cos(angle);
      numbers[i + 8] = radius * Math.sin(angle);
    }
  };
  fill(0, count);
  for (let start = 0; start + 16 <= count; start += 16) turn(start);
  if (count % 16) {
    fill(count - 16, count); // the last 16 are drawn again
    turn(count - 16);
  }
  return numbers;
}

/** torch's algorithm for fewer than 16 numbers: the same in pairs, from 53-bit fractions. */
function fewNormal(count, random) {
  const fraction = () => ((random() & 0x1fffff) * 2 ** 32 + random()) / 2 ** 53;
  const numbers = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const angle = 2 * Math.PI * fraction();
    const radius = Math.sqrt(-2 * Math.log1p(-fraction()));
    numbers[i] = radius * Math.cos(angle);
    if (i + 1 < count) numbers[i + 1] = radius * Math.sin(angle);
  }
  return numbers;
}
