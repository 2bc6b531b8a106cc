// SHA-256 (FIPS 180-4), piece by piece: browsers have their own only behind TLS, and only for what fits into memory.

const FIRST = primes(64);
const ROUND = FIRST.map((prime) => fraction(Math.cbrt(prime)));
const BEGIN = FIRST.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));
const BLOCK = 64;

export class Sha256 {
  constructor() {
    this.state = Int32Array.from(BEGIN);
    this.words = new Int32Array(BLOCK);
    this.rest = new Uint8Array(BLOCK);
    this.held = 0;
    this.length = 0;
  }

  add(bytes) {
    this.length += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(BLOCK - this.held, bytes.length - at);
      this.rest.set(bytes.subarray(at, at + taken), this.held);
      this.held += taken;
      at += taken;
      if (this.held === BLOCK) this.mix();
    }
    return this;
  }

  hex() {
    const bits = this.length * 8;
    const end = new Uint8Array(this.held < 56 ? BLOCK - this.held : 2 * BLOCK - this.held);
    end[0] = 0x80;
    const view = new DataView(end.buffer);
    view.setUint32(end.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(end.length - 4, bits % 2 ** 32);
    this.add(end);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  mix() {
    const { words: w, state } = this;
    const view = new DataView(this.rest.buffer);
    for (let t = 0; t < 16; t += 1) w[t] = view.getInt32(t * 4);
    for (let t = 16; t < BLOCK; t += 1) {
      const early = w[t - 15];
      const late = w[t - 2];
      w[t] =
        (turn(late, 17) ^ turn(late, 19) ^ (late >>> 10)) +
        w[t - 7] +
        (turn(early, 7) ^ turn(early, 18) ^ (early >>> 3)) +
        w[t - 16];
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let t = 0; t < BLOCK; t += 1) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUND[t] + w[t]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, index) => (state[index] += word));
    this.held = 0;
  }
}

export const sha256 = (text) => new Sha256().add(new TextEncoder().encode(text)).hex();

const turn = (word, by) => (word >>> by) | (word << (32 - by));

function fraction(number) {
  return Math.floor((number % 1) * 2 ** 32) | 0;
}

function primes(many) {
  const found = [];
  for (let number = 2; found.length < many; number += 1)
    if (found.every((prime) => number % prime)) found.push(number);
  return found;
}
