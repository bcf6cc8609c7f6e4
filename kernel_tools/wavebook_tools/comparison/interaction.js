// What moves in a comparison. The body of one CustomJS (see page.py) that answers every event of the page: `cb_obj` says
// whose. The same in JupyterLab, in a notebook's cell and in a file; only in JupyterLab somebody answers `request`.
const MANY = 8 // experiments whose bands are left out of a moving figure
const page = (request.page ??= begin())
const answers = new Map([
  [request, () => undefined],
  [answer, receive],
  [smoothing, () => redraw()],
  [axes, () => redraw()],
  [legend, mute],
  [panels[0].plot, load],
  [parallel, turn],
  [state, restore]
])
for (const { plot } of panels) answers.set(plot.x_range, follow)
for (const { selected } of sources) answers.set(selected, () => choose([...selected.indices]))
for (const source of scattered) answers.set(source.selected, () => chooseAmong(source))
for (const choice of selects) answers.set(choice, () => redraw())
for (const choice of filters.selects) answers.set(choice, filter)
for (const [hover, source] of hovers) answers.set(hover, () => point(hover, under(cb_data.index, source)))
if (rewards) answers.set(rewards.select, stack)
if (terrains) answers.set(terrains.select, bars)
if (scatter) answers.set(scatter.select, parameter)
answers.set(export_buttons.table, () => download('comparison.csv', 'text/csv', export_buttons.csv))
answers.set(export_buttons.curves, () => download('curves.csv', 'text/csv', curvesAsText()))
answers.set(export_buttons.picture, picture)
answers.get(cb_obj.origin ?? cb_obj)() // of an event, or the model that changed
const widgets = [smoothing, axes, legend, ...selects, ...filters.selects]
if (page.drawn && (widgets.includes(cb_obj) || [rewards, terrains, scatter].some(one => one?.select === cb_obj))) remember()

function begin() {
  const page = {
    raw: new Map(), detail: new Map(), visible: rows.map(() => true), loud: new Set(rows.keys()), chosen: [], marked: -1,
    asked: new Set(), number: 0, frame: 0, held: false
  }
  watch(new WeakRef(page))
  return page
}

/** Whether a button is down, from before a figure begins to move: a busy browser tells of the move first. */
function watch(page) {
  const kinds = ['pointerdown', 'pointermove', 'pointerup', 'pointercancel']
  const look = ({ buttons }) => {
    const open = page.deref()
    if (open) open.held = buttons !== 0
    else for (const kind of kinds) removeEventListener(kind, look, true)
  }
  for (const kind of kinds) addEventListener(kind, look, true)
}

async function load() {
  if (page.loaded) return
  page.loaded = true
  connectRows()
  clipMarks()
  if (!document.body.dataset.jpThemeName) {
    // A page of its own follows the system; JupyterLab's panel is told of its theme.
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => views(figures).forEach(v => v.request_repaint()))
  }
  const stream = new Blob([packed.block]).stream().pipeThrough(new DecompressionStream('deflate'))
  unpack(new Uint8Array(await new Response(stream).arrayBuffer()))
  redraw()
  stack()
  page.drawn = true
  restore()
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
  mark(-1)
  if (missing.length) ask(missing, null)
}

/** Ask whoever can read the records; a page in a file has nobody, and nothing missing. */
function ask(metrics, window) {
  const key = JSON.stringify([metrics, window])
  if (!window && page.asked.has(key)) return
  page.asked.add(key)
  request.data = { question: [JSON.stringify({ metrics, window, number: ++page.number })] }
}

/**
 * Panels share their iterations. The others follow the one that is dragged: in every frame while the browser keeps up,
 * else a few times a second, so that the one under the pointer moves smoothly.
 */
function follow() {
  const leader = cb_obj
  if (page.leader && page.leader !== leader) return // it follows
  if (!page.leader && page.window?.start === leader.start && page.window.end === leader.end) return // it has followed
  if (!page.leader) calm()
  page.leader = leader
  const rest = () => {
    catchUp(leader)
    if (page.held) {
      page.timer = setTimeout(rest, 250)
      return
    }
    page.leader = null
    page.calmed()
    ask(selects.map(select => select.value), [leader.start, leader.end])
    remember()
  }
  clearTimeout(page.timer)
  page.timer = setTimeout(rest, 250)
  if (page.waiting) return
  page.waiting = true
  const began = performance.now(), due = page.frame > 50 ? 600 : page.frame > 30 ? 150 : 0
  requestAnimationFrame(() => requestAnimationFrame(() => {
    page.frame = 0.7 * page.frame + 0.3 * (performance.now() - began) // of two frames
    setTimeout(() => { page.waiting = false }, due)
    if (page.leader === leader) catchUp(leader)
  }))
}

/** While a panel is dragged or zoomed: nothing is read under the pointer, and there are no bands where they are many. */
function calm() {
  const tools = panels.flatMap(({ plot }) => plot.toolbar.tools).filter(tool => /^(Hover|Crosshair)Tool$/.test(tool.type) && tool.active)
  const bands = rows.length > MANY ? panels.flatMap(({ plot }) => plot.renderers.filter(one => one.name === 'band' && one.visible)) : []
  const still = on => {
    for (const tool of tools) tool.active = on
    for (const band of bands) band.visible = on
  }
  page.calmed = () => still(true)
  still(false)
}

function catchUp({ start, end }) {
  page.window = { start, end }
  for (const { plot: { x_range } } of panels) {
    if (x_range.start !== start || x_range.end !== end) x_range.setv({ start, end })
  }
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
  const numbers = terrains.numbers[terrains.select.value], measured = onTerrains()
  const data = { row: [], x: [], top: [], colour: [], alpha: [], label: [], terrain: [] }
  fill(terrains.gap, [measured.length > 0])
  if (!measured.length) return // Bokeh takes no axis without a name
  terrains.names.forEach((name, line) => {
    for (const row of measured.slice(0, terrains.most)) {
      const { id, colour, label } = rows[row], alpha = page.loud.has(row) ? 1 : faded
      const values = { row, x: [name.replaceAll('_', ' '), id], top: numbers[line][row], colour, alpha, label, terrain: name }
      Object.keys(data).forEach(key => data[key].push(values[key]))
    }
  })
  terrains.plot.x_range.factors = data.x
  terrains.source.data = data
  terrains.source.selected.indices = placesOf(terrains.source)
  terrains.plot.left[0].axis_label = quantities[terrains.select.value][1]
  draw(terrains.gap)
}

/** The rows that have something of what is chosen as measured on terrains. */
function onTerrains() {
  const numbers = terrains.numbers[terrains.select.value]
  return [...rows.keys()].filter(row => page.visible[row] && numbers.some(line => isFinite(line[row])))
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
