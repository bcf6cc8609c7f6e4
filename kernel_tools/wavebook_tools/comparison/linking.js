// Part of the script of a comparison (see interaction.js): what is pointed at, chosen or muted, in all figures alike.

/** Legend: what is not ticked fades in every figure. */
function mute() {
  const loud = (page.loud = new Set(legend.active))
  for (const source of sources) {
    const data = { ...source.data, alpha: rows.map((_, row) => (loud.has(row) ? 1 : faded)) }
    if (data.band) data.band = rows.map((_, row) => (loud.has(row) ? band : faded / 4))
    source.data = data
  }
  for (const source of scattered) {
    source.data = { ...source.data, alpha: Array.from(source.data.row, row => (loud.has(row) ? 1 : faded)) }
  }
}

function filter() {
  page.visible = rows.map(row => filters.selects.every((s, i) => s.value === '' || row[filters.keys[i]] === s.value))
  // First of all: the page is laid out at once, and would be drawn while figures have but half of what changes.
  const known = [...gaps, ...(scatter?.gaps ?? [])]
  for (const gap of known) fill(gap, gap.rows.map(found => found.some(row => page.visible[row])))
  if (terrains) fill(terrains.gap, [onTerrains().length > 0])
  shown.booleans = page.visible
  const hidden = page.visible.flatMap((visible, row) => (visible ? [] : [row + 1]))
  const rule = kind => hidden.map(row => `${kind}:nth-child(${row})`).join()
  filters.hide.css = hidden.length ? `${rule('.bk-input-group > label')}, ${rule('tbody tr')} { display: none; }` : ''
  const labels = rows.filter((_, row) => page.visible[row]).map(row => row.label)
  for (const plot of finals.filter(({ visible }) => visible)) plot.y_range.factors = labels.slice(0, most_rows).reverse()
  redraw()
  if (terrains) bars()
  known.forEach(draw)
}

/** A figure that would be empty is hidden; where all of a section are, a sentence says why. */
function fill({ figures, note }, filled) {
  figures.forEach((plot, i) => { plot.setv(filled[i] ? { visible: true } : { visible: false, hold_render: true }) })
  note.visible = !filled.includes(true)
}

/** What is shown again is drawn once it has its data: Bokeh complains of a figure without any. */
function draw({ figures }) {
  for (const plot of figures) plot.hold_render = !plot.visible
}

/** What is clicked in one figure, or in the table, is selected in all. */
function choose(found) {
  const chosen = [...new Set(found)].sort((a, b) => a - b)
  if (String(chosen) === String(page.chosen)) return
  page.chosen = chosen
  for (const { selected } of sources) selected.indices = chosen
  for (const source of scattered) source.selected.indices = placesOf(source)
  page.rows?.forEach((parts, row) => parts.forEach(part => part.classList.toggle('chosen', chosen.includes(row))))
  if (rewards && chosen.length === 1) rewards.select.value = rows[chosen[0]].id
  if (page.drawn) remember()
}

/** Of a source with several rows an experiment. It may lack one that is selected; then its selection says nothing. */
function chooseAmong(source) {
  const { indices } = source.selected
  if (String(indices) !== String(placesOf(source))) choose(indices.map(place => source.data.row[place]))
}

function placesOf({ data }) {
  return [...data.row.keys()].filter(place => page.chosen.includes(data.row[place]))
}

/** The row of the experiment under the pointer, -1 where there is none. */
function under({ indices, multiline_indices, line_indices }, { data }) {
  const hit = indices[0] ?? [...multiline_indices.keys()][0] ?? line_indices[0] ?? -1
  return hit >= 0 && data.row ? data.row[hit] : hit
}

/** What a hover tool found. Figures have several: that one finds nothing takes away what itself has marked, no more. */
function point(hover, row) {
  if (page.leader || page.held) return // a figure moves, or is about to
  if (row < 0 && page.hover !== hover) return
  page.hover = hover
  mark(row)
}

/** Mark an experiment in every figure, in the table and in the legend. */
function mark(row) {
  if (row === page.marked && row >= 0) return
  page.rows?.[page.marked]?.forEach(part => part.classList.remove('marked'))
  page.rows?.[row]?.forEach(part => part.classList.add('marked'))
  page.marked = row
  for (const { source, marked } of marks) {
    const names = Object.keys(marked.data)
    if (row < 0 && !marked.data[names[0]].length) continue
    marked.data = Object.fromEntries(names.map(name => [name, row < 0 ? [] : [source.data[name][row]]]))
  }
}

/** Marks lie above everything, so that a figure is not drawn anew for them; there Bokeh would let them leave the frame. */
function clipMarks() {
  const drawn = figures.flatMap(({ renderers }) => renderers).filter(one => marks.some(({ marked }) => marked === one.data_source))
  for (const view of views(drawn)) Object.defineProperty(view, 'needs_clip', { value: true })
}

/** Rows of the table and entries of the legend mark and select their experiment, too. */
function connectRows() {
  const found = (model, selector) => views([model]).flatMap(view => [...view.shadow_el.querySelectorAll(selector)])
  const lines = table ? found(table, 'tbody tr') : [], entries = found(legend, 'label')
  page.rows = rows.map((_, row) => [lines[row], entries[row]].filter(part => part))
  page.rows.forEach((parts, row) => {
    for (const part of parts) {
      for (const kind of ['pointerenter', 'focusin']) part.addEventListener(kind, () => mark(row))
      for (const kind of ['pointerleave', 'focusout']) part.addEventListener(kind, () => mark(-1))
    }
    lines[row]?.addEventListener('click', ({ ctrlKey, metaKey, shiftKey }) => {
      const more = ctrlKey || metaKey || shiftKey, already = page.chosen.includes(row)
      choose(more ? (already ? page.chosen.filter(one => one !== row) : [...page.chosen, row]) : already ? [] : [row])
    })
  })
}

/** The names of the parallel axes, slanted where they would overlap. */
function turn() {
  const axis = parallel.below[0], names = [...axis.major_label_overrides.values()]
  const room = parallel.inner_width / names.length
  axis.major_label_orientation = Math.max(...names.map(name => name.length)) * 6 > room ? 0.4 : 'horizontal'
}

/** Keep what was chosen, for the page that takes this one's place when a run has ended. */
function remember() {
  const { start, end, reset_start, reset_end } = panels[0].plot.x_range
  const ids = indices => indices.map(row => rows[row].id)
  const values = [rewards, terrains, scatter].map(one => one?.select.value)
  page.kept = JSON.stringify({
    muted: ids([...rows.keys()].filter(row => !legend.active.includes(row))), chosen: ids(page.chosen), values,
    metrics: selects.map(select => select.value), filters: filters.keys.map((key, i) => [key, filters.selects[i].value]),
    smoothing: smoothing.value, axes: axes.active, zoom: start === reset_start && end === reset_end ? null : [start, end]
  })
  state.data = { state: [page.kept] }
}

function restore() {
  const [text] = state.data.state
  if (!page.drawn || !text || text === page.kept) return
  page.kept = text
  const { muted, chosen, values, metrics, filters: chosenFilters, smoothing: tau, axes: active, zoom } = JSON.parse(text)
  const set = (select, value) => {
    if (select && select.options.some(option => (Array.isArray(option) ? option[0] : option) === value)) select.value = value
  }
  metrics.forEach((metric, i) => set(selects[i], metric))
  for (const [key, value] of chosenFilters) set(filters.selects[filters.keys.indexOf(key)], value)
  ;[rewards, terrains, scatter].forEach((one, i) => set(one?.select, values[i]))
  smoothing.value = tau
  axes.active = active
  legend.active = [...rows.keys()].filter(row => !muted.includes(rows[row].id))
  choose([...rows.keys()].filter(row => chosen.includes(rows[row].id)))
  if (zoom) panels[0].plot.x_range.setv({ start: zoom[0], end: zoom[1] })
}

function views(models) {
  return models.flatMap(model => [...cb_context.index.query(view => view.model === model)])
}
