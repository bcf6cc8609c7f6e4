// What moves in a comparison. The body of one CustomJS (see page.py) that answers every event of the page: `cb_obj` says
// whose. The same in JupyterLab, in a notebook's cell and in a file; only in JupyterLab somebody answers `request`.
const page = (request.page ??= begin())
const answers = new Map([
  [request, () => undefined],
  [answer, receive],
  [smoothing, () => redraw()],
  [axes, () => redraw()],
  [legend, mute],
  [panels[0].plot, load],
  [panels[0].plot.x_range, zoomed]
])
for (const { selected } of sources) answers.set(selected, select)
for (const choice of selects) answers.set(choice, () => redraw())
for (const choice of filters.selects) answers.set(choice, filter)
for (const hover of hovers) answers.set(hover, () => mark(cb_data.index))
if (rewards) answers.set(rewards.select, stack)
if (terrains) answers.set(terrains.select, bars)
if (scatter) answers.set(scatter.select, parameter)
answers.set(export_buttons.table, () => download('comparison.csv', 'text/csv', export_buttons.csv))
answers.set(export_buttons.curves, () => download('curves.csv', 'text/csv', curvesAsText()))
answers.set(export_buttons.picture, picture)
return answers.get(cb_obj.origin ?? cb_obj)() // of an event, or the model that changed

function begin() {
  return { raw: new Map(), detail: new Map(), visible: rows.map(() => true), marked: -1, asked: new Set(), number: 0 }
}

async function load() {
  if (page.loaded) return
  page.loaded = true
  const stream = new Blob([packed.block]).stream().pipeThrough(new DecompressionStream('deflate'))
  unpack(new Uint8Array(await new Response(stream).arrayBuffer()))
  redraw()
  stack()
}

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

function redraw(keep = false) {
  const [log, logX] = [axes.active.includes(0), axes.active.includes(1)]
  const missing = []
  panels.forEach(({ plot, source }, p) => {
    const metric = selects[p].value
    if (!page.raw.has(metric)) missing.push(metric)
    const data = { ...source.data, xs: [], ys: [], bx: [], by: [] }
    let least = Infinity, most = -Infinity
    rows.forEach((_, row) => {
      const { x, mean, low, high } = merged(metric, row)
      const ys = smooth(x, mean), band = banding && low ? [smooth(x, low), smooth(x, high)] : null
      data.xs.push(x)
      data.ys.push(ys)
      data.bx.push(band ? [...x, ...Array.from(x).reverse()] : [])
      data.by.push(band ? [...band[0], ...band[1].reverse()] : [])
      if (!page.visible[row]) return
      for (const values of band ?? [ys]) for (const y of values) {
        if (y < least) least = y
        if (y > most) most = y
      }
    })
    source.data = data
    if (keep) return
    if (!(least <= most)) [least, most] = log ? [0.1, 1] : [0, 1]
    const pad = log ? Math.max(Math.pow(most / least, 0.05), 1.01) : (most - least) * 0.05 || Math.abs(most) * 0.05 || 0.5
    const [start, end] = log ? [least / pad, most * pad] : [least - pad, most + pad]
    plot.title.text = quantities[metric][0]
    plot.left[0].axis_label = quantities[metric][1]
    plot.left[0].ticker = log ? scales.log_ticker : scales.linear_ticker
    plot.y_scale = log ? scales.log : scales.linear
    plot.below[0].ticker = logX ? scales.log_ticker_x : scales.linear_ticker
    plot.x_scale = logX ? scales.log_x : scales.linear_x
    if (logX && !(plot.x_range.start > 0)) plot.x_range.start = 1
    plot.y_range.setv({ start, end, reset_start: start, reset_end: end })
  })
  mark(null)
  if (missing.length) ask(missing, null)
}

/** Ask whoever can read the records; a page in a file has nobody, and nothing missing. */
function ask(metrics, window) {
  const key = JSON.stringify([metrics, window])
  if (!window && page.asked.has(key)) return
  page.asked.add(key)
  request.data = { question: [JSON.stringify({ metrics, window, number: ++page.number })] }
}

function zoomed() {
  clearTimeout(page.timer)
  const { start, end } = cb_obj
  page.timer = setTimeout(() => ask(selects.map(select => select.value), [start, end]), 250)
}

function receive() {
  const { curves, window, number } = JSON.parse(answer.data.answer[0])
  if (window && number !== page.number) return // the view has moved on
  if (window) page.detail.clear()
  for (const [metric, found] of Object.entries(curves)) {
    const listed = rows.map(row => {
      const [x, mean, low, high] = found[row.id] ?? [[], []]
      const numbers = values => Float64Array.from(values, value => value ?? NaN)
      return low ? { x, mean: numbers(mean), low: numbers(low), high: numbers(high) } : { x, mean: numbers(mean) }
    })
    if (window) page.detail.set(metric, { curves: listed })
    else page.raw.set(metric, listed)
  }
  redraw(window !== null)
  if (!window) stack()
}

/** Legend: what is not ticked fades in every figure. */
function mute() {
  const loud = new Set(legend.active)
  for (const source of sources) {
    const data = { ...source.data, alpha: rows.map((_, row) => (loud.has(row) ? 1 : faded)) }
    if (data.band) data.band = rows.map((_, row) => (loud.has(row) ? band : faded / 4))
    source.data = data
  }
}

function filter() {
  page.visible = rows.map(row => filters.selects.every((s, i) => s.value === '' || row[filters.keys[i]] === s.value))
  shown.booleans = page.visible
  const hidden = page.visible.flatMap((visible, row) => (visible ? [] : [row + 1]))
  const rule = kind => hidden.map(row => `${kind}:nth-child(${row})`).join()
  filters.hide.css = hidden.length ? `${rule('.bk-input-group > label')}, ${rule('tbody tr')} { display: none; }` : ''
  const labels = rows.filter((_, row) => page.visible[row]).map(row => row.label)
  for (const plot of finals) plot.y_range.factors = labels.slice(0, most_rows).reverse()
  redraw()
  if (terrains) bars()
}

/** What is clicked in one figure is selected in all. */
function select() {
  const indices = [...cb_obj.indices]
  for (const { selected } of sources) {
    if (String(selected.indices) !== String(indices)) selected.indices = indices
  }
}

/** The experiment under the pointer, wide in all panels. */
function mark(index) {
  const hit = index ? (index.indices[0] ?? [...index.multiline_indices.keys()][0] ?? index.line_indices[0] ?? -1) : -1
  if (hit === page.marked && index) return
  page.marked = hit
  for (const { source, marked } of panels) {
    const line = name => (hit < 0 ? [] : [source.data[name][hit]])
    marked.data = { xs: line('xs'), ys: line('ys'), colour: line('colour') }
  }
}

/** Reward terms of one experiment on top of each other, gains above zero and costs below. */
function stack() {
  if (!rewards) return
  const row = rows.findIndex(row => row.id === rewards.select.value)
  const missing = rewards.terms.filter(term => !page.raw.has(term))
  if (missing.length) ask(missing, null)
  const curves = rewards.terms.map(term => page.raw.get(term)?.[row]).map((c, i) => [rewards.terms[i], c])
  const known = curves.filter(([, curve]) => curve?.x.length)
  const end = Math.max(1, ...known.map(([, { x }]) => x[x.length - 1]))
  const grid = Array.from({ length: 200 }, (_, i) => (i * end) / 199)
  const ceiling = { 1: grid.map(() => 0), '-1': grid.map(() => 0) }
  const data = { xs: [], ys: [], label: [], colour: [], last: [] }
  for (const [term, { x, mean }] of known) {
    let at = 0
    const values = grid.map(g => {
      while (at < x.length - 2 && x[at + 1] < g) at++
      const [x0, x1, y0, y1] = [x[at], x[at + 1] ?? x[at], mean[at], mean[at + 1] ?? mean[at]]
      const y = x1 > x0 ? y0 + ((g - x0) / (x1 - x0)) * (y1 - y0) : y0
      return Number.isFinite(y) ? y : 0
    })
    const side = values.reduce((sum, y) => sum + y, 0) < 0 ? -1 : 1
    const base = ceiling[side], top = base.map((y, i) => y + values[i])
    ceiling[side] = top
    data.xs.push([...grid, ...[...grid].reverse()])
    data.ys.push([...top, ...[...base].reverse()])
    data.label.push(quantities[term][0].replace('Reward term ', ''))
    data.colour.push(rewards.colours[rewards.terms.indexOf(term) % rewards.colours.length])
    data.last.push(values[values.length - 1])
  }
  rewards.source.data = data
  const { x_range, y_range } = rewards.plot
  const [least, most] = [Math.min(...ceiling[-1]), Math.max(...ceiling[1])]
  const pad = (most - least) * 0.05 || 1
  x_range.setv({ start: 0, end, reset_start: 0, reset_end: end })
  y_range.setv({ start: least - pad, end: most + pad, reset_start: least - pad, reset_end: most + pad })
}

function bars() {
  const numbers = terrains.numbers[terrains.select.value]
  const data = { x: [], top: [], colour: [], label: [], terrain: [] }
  const measured = rows.map((_, row) => row).filter(row => page.visible[row] && numbers.some(l => isFinite(l[row])))
  terrains.names.forEach((name, line) => {
    for (const row of measured.slice(0, terrains.most)) {
      const values = [[name.replaceAll('_', ' '), rows[row].id], numbers[line][row], rows[row].colour, rows[row].label, name]
      Object.keys(data).forEach((key, i) => data[key].push(values[i]))
    }
  })
  terrains.plot.x_range.factors = data.x
  terrains.source.data = data
  terrains.plot.left[0].axis_label = quantities[terrains.select.value][1]
}

function parameter() {
  const chosen = scatter.parameters.find(one => one.name === scatter.select.value)
  const axis = scatter.plot.below[0]
  axis.axis_label = chosen.short
  axis.major_label_overrides = new Map(chosen.choices.map((text, i) => [i, text]))
  axis.ticker = chosen.choices.length ? scatter.choices : scatter.numbers
  scatter.choices.ticks = chosen.choices.map((_, i) => i)
  scatter.source.data = { ...scatter.source.data, value: Array.from(chosen.values), text: chosen.texts }
}

function curvesAsText() {
  const quoted = text => `"${String(text).replaceAll('"', '""')}"`
  const lines = ['experiment,metric,iteration,mean,low,high']
  for (const metric of selects.map(select => select.value)) {
    rows.forEach((row, r) => {
      if (!page.visible[r]) return
      const { x, mean, low = mean, high = mean } = merged(metric, r)
      for (let i = 0; i < x.length; i++) lines.push([quoted(row.id), quoted(metric), x[i], mean[i], low[i], high[i]].join())
    })
  }
  return lines.join('\r\n')
}

/** All figures below each other, on the theme's ground. */
function picture() {
  const canvases = figures.flatMap(plot => [...cb_context.index.query(view => view.model === plot)]).map(v => v.export('png').canvas)
  const all = document.createElement('canvas')
  all.width = Math.max(...canvases.map(canvas => canvas.width))
  all.height = canvases.reduce((sum, canvas) => sum + canvas.height, 0)
  const context = all.getContext('2d')
  context.fillStyle = getComputedStyle(document.body).getPropertyValue('--jp-layout-color1') || '#fff'
  context.fillRect(0, 0, all.width, all.height)
  let y = 0
  for (const canvas of canvases) {
    context.drawImage(canvas, 0, y)
    y += canvas.height
  }
  all.toBlob(blob => save('comparison.png', blob))
}

function download(name, type, text) {
  save(name, new Blob(['\ufeff', text], { type }))
}

function save(name, blob) {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
