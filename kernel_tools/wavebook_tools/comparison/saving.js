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

/** All figures below each other, on the theme's ground. */
function picture() {
  const canvases = views(figures).map(view => view.export('png').canvas)
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
