// Part of the script of a comparison (see interaction.js): what the curves are that it draws.

/** The inverse of packing.py. */
function unpack(bytes) {
  const { counts, banded } = packed
  let points = 0, wide = 0, at = 0
  counts.forEach((count, i) => { points += count; wide += banded[i] ? count : 0 })
  const take = count => bytes.subarray(at, (at += count))
  const floats = count => {
    const [low, middle, high] = [take(count), take(count), take(count)]
    const bits = new Uint32Array(count)
    for (let i = 0; i < count; i++) bits[i] = (low[i] << 8) | (middle[i] << 16) | (high[i] << 24)
    return new Float32Array(bits.buffer)
  }
  const [low, high] = [take(points), take(points)]
  const [means, lows, highs] = [floats(points), floats(wide), floats(wide)]
  let start = 0, band = 0
  for (let m = 0; m < packed.names.length; m++) {
    const curves = rows.map((_, row) => {
      const index = m * rows.length + row, count = counts[index]
      const x = new Float64Array(count)
      for (let i = 0, sum = 0; i < count; i++) x[i] = sum += low[start + i] | (high[start + i] << 8)
      const curve = { x, mean: means.subarray(start, start + count) }
      if (banded[index]) {
        curve.low = lows.subarray(band, band + count)
        curve.high = highs.subarray(band, band + count)
        band += count
      }
      start += count
      return curve
    })
    page.raw.set(packed.names[m], curves)
  }
}

/** A curve with the detail that was fetched for a part of it. */
function merged(metric, row) {
  const rough = page.raw.get(metric)?.[row] ?? { x: [], mean: [] }
  const found = page.detail.get(metric)
  const fine = found?.curves[row]
  if (!fine || !fine.x.length) return rough
  const [first, last] = [fine.x[0], fine.x[fine.x.length - 1]]
  const before = rough.x.findIndex(x => x >= first), after = rough.x.findIndex(x => x > last)
  const join = name => [
    ...(rough[name] ?? rough.mean).slice(0, before < 0 ? rough.x.length : before),
    ...(fine[name] ?? fine.mean),
    ...(after < 0 ? [] : (rough[name] ?? rough.mean).slice(after))
  ]
  const curve = { x: join('x'), mean: join('mean') }
  return rough.low || fine.low ? { ...curve, low: join('low'), high: join('high') } : curve
}

/** Running mean whose weight falls off by 1/e in `tau` iterations; on a log axis nothing but what is positive. */
function smooth(x, y) {
  const tau = smoothing.value ?? 0, log = axes.active.includes(0)
  const out = new Float64Array(y.length)
  let mean = NaN, last = NaN
  for (let i = 0; i < y.length; i++) {
    if (tau <= 0 || isNaN(mean)) mean = y[i]
    else if (!isNaN(y[i])) mean += (1 - Math.exp(-(x[i] - last) / tau)) * (y[i] - mean)
    last = x[i]
    out[i] = log && !(mean > 0) ? NaN : mean
  }
  return out
}
