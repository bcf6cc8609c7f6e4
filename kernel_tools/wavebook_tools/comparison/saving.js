// Part of the script of a comparison (see interaction.js): what is taken along.

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

/** All figures that the page shows, side by side where they are there, and above them which line is whose. */
function picture() {
  const placed = arranged(views(figures.filter(({ visible }) => visible)))
  if (!placed.length) return
  const all = document.createElement('canvas'), context = all.getContext('2d')
  const strokes = { solid: [], dashed: [6], dotted: [2, 4], dotdash: [2, 4, 6, 4] } // as BokehJS draws them [px]
  const unit = devicePixelRatio, font = `${12 * unit}px sans-serif`, height = 20 * unit
  const named = rows.filter((_, row) => page.visible[row] && page.loud.has(row))
  context.font = font
  const wide = Math.max(...named.map(({ label }) => context.measureText(label).width)) + 56 * unit
  all.width = Math.max(...placed.map(({ canvas, x }) => x + canvas.width))
  const columns = Math.max(1, Math.floor(all.width / wide))
  const above = Math.ceil(named.length / columns) * height
  all.height = above + Math.max(...placed.map(({ canvas, y }) => y + canvas.height))
  const themed = (name, otherwise) => getComputedStyle(document.body).getPropertyValue(name) || otherwise
  context.fillStyle = themed('--jp-layout-color1', '#fff')
  context.fillRect(0, 0, all.width, all.height)
  context.fillStyle = themed('--jp-ui-font-color1', '#333')
  Object.assign(context, { font, textBaseline: 'middle', lineWidth: 2 * unit })
  named.forEach(({ label, colour, dash }, index) => {
    const x = (index % columns) * wide, middle = (Math.floor(index / columns) + 0.5) * height
    context.strokeStyle = colour
    context.setLineDash(strokes[dash].map(length => length * unit))
    context.beginPath()
    context.moveTo(x + 8 * unit, middle)
    context.lineTo(x + 36 * unit, middle)
    context.stroke()
    context.fillText(label, x + 42 * unit, middle)
  })
  for (const { canvas, x, y } of placed) context.drawImage(canvas, x, above + y)
  all.toBlob(blob => save('comparison.png', blob))
}

/** Each figure's canvas and where it belongs: beside the one before it as in the page, without what lies between rows. */
function arranged(figureViews) {
  const boxes = figureViews.map(view => view.el.getBoundingClientRect()), left = Math.min(...boxes.map(box => box.left))
  let y = 0, height = 0, bottom = -Infinity
  return figureViews.map((view, i) => {
    const { canvas } = view.export('png'), box = boxes[i]
    if (box.top >= bottom) [y, height, bottom] = [y + height, 0, box.bottom] // the next row
    height = Math.max(height, canvas.height)
    bottom = Math.max(bottom, box.bottom)
    return { canvas, x: Math.round((box.left - left) * devicePixelRatio), y }
  })
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
