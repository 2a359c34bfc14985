// Layers of the network, one frame at a time.

/** y += x @ kernel; x [rows], kernel [rows, columns] row-major, y [columns]. columns is a multiple of 4. */
export function accumulate(x: usize, rows: i32, kernel: usize, y: usize, columns: i32): void {
  const stride: usize = usize(columns) << 2;
  let column: i32 = 0;
  for (; column + 16 <= columns; column += 16) {
    const out = y + (usize(column) << 2);
    let a = v128.load(out),
      b = v128.load(out, 16),
      c = v128.load(out, 32),
      d = v128.load(out, 48);
    let row = kernel + (usize(column) << 2);
    for (let i: i32 = 0; i < rows; ++i) {
      const value = v128.load32_splat(x + (usize(i) << 2));
      a = f32x4.add(a, f32x4.mul(value, v128.load(row)));
      b = f32x4.add(b, f32x4.mul(value, v128.load(row, 16)));
      c = f32x4.add(c, f32x4.mul(value, v128.load(row, 32)));
      d = f32x4.add(d, f32x4.mul(value, v128.load(row, 48)));
      row += stride;
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
  for (; column < columns; column += 4) {
    const out = y + (usize(column) << 2);
    let a = v128.load(out);
    let row = kernel + (usize(column) << 2);
    for (let i: i32 = 0; i < rows; ++i) {
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(x + (usize(i) << 2)), v128.load(row)));
      row += stride;
    }
    v128.store(out, a);
  }
}

/** Normalises x [n] (layer normalisation) into y [n]. */
export function normalise(x: usize, n: i32, gamma: usize, beta: usize, epsilon: f32, y: usize): void {
  const bytes: usize = usize(n) << 2;
  let sum: f32 = 0;
  for (let i: usize = 0; i < bytes; i += 4) sum += load<f32>(x + i);
  const mean: f32 = sum / f32(n);
  let squares: f32 = 0;
  for (let i: usize = 0; i < bytes; i += 4) {
    const difference: f32 = load<f32>(x + i) - mean;
    squares += difference * difference;
  }
  const scale: f32 = f32(1) / sqrt<f32>(squares / f32(n) + epsilon);
  for (let i: usize = 0; i < bytes; i += 4) {
    store<f32>(y + i, (load<f32>(x + i) - mean) * scale * load<f32>(gamma + i) + load<f32>(beta + i));
  }
}

/** x = x where it is positive, else slope * x; x [n]. */
export function leaky(x: usize, n: i32, slope: f32): void {
  for (let end = x + (usize(n) << 2); x < end; x += 4) {
    const value = load<f32>(x);
    store<f32>(x, value > 0 ? value : slope * value);
  }
}

/** x += leaky(y); both [n]. */
export function addLeaky(x: usize, y: usize, n: i32, slope: f32): void {
  for (let end = x + (usize(n) << 2); x < end; x += 4, y += 4) {
    const value = load<f32>(y);
    store<f32>(x, load<f32>(x) + (value > 0 ? value : slope * value));
  }
}

/** Computes a GRU's new state (reset after the product): a, b [3, units], h [units] in and out. */
export function gatedStep(a: usize, b: usize, h: usize, units: i32): void {
  const gate: usize = usize(units) << 2;
  for (let i: usize = 0; i < gate; i += 4) {
    const z = sigmoid(load<f32>(a + i) + load<f32>(b + i));
    const r = sigmoid(load<f32>(a + gate + i) + load<f32>(b + gate + i));
    const c = Mathf.tanh(load<f32>(a + 2 * gate + i) + r * load<f32>(b + 2 * gate + i));
    store<f32>(h + i, z * load<f32>(h + i) + (1 - z) * c);
  }
}

function sigmoid(x: f32): f32 {
  return f32(1) / (f32(1) + Mathf.exp(-x));
}
