/**
 * The player's style, inside a shadow root: the same in JupyterLab and in a page of its own. Colours are JupyterLab's
 * variables, which the page defines too.
 */
export const STYLE = `
:host { display: block; color: var(--jp-ui-font-color1); font: 13px/1.4 system-ui, sans-serif; }
.player { border: 1px solid var(--jp-border-color2); border-radius: 4px; overflow: hidden;
  background: var(--jp-layout-color1); container-type: inline-size; }
.view { position: relative; height: var(--wavebook-replay-height, 420px); }
canvas { display: block; width: 100%; height: 100%; touch-action: none; }
.view:focus-visible { outline: 2px solid var(--jp-brand-color1); outline-offset: -2px; }
.readout { position: absolute; left: 10px; top: 8px; padding: 6px 8px; border-radius: 4px; pointer-events: none;
  background: color-mix(in srgb, var(--jp-layout-color1) 82%, transparent); font-variant-numeric: tabular-nums; }
.readout table { border-collapse: collapse; }
.readout th, .readout td { padding: 0 0 0 10px; text-align: right; font-weight: 400; }
.readout th:first-child { padding-left: 0; text-align: left; color: var(--jp-ui-font-color2); }
.readout .key { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-right: 4px; }
.feet { margin-top: 4px; color: var(--jp-ui-font-color2); }
.feet span { display: inline-block; margin-right: 6px; padding: 0 5px; border-radius: 8px;
  border: 1px solid var(--jp-border-color1); }
.feet span[data-down='true'] { background: var(--jp-warn-color1); border-color: var(--jp-warn-color1); color: #000; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 10px; padding: 6px 10px;
  border-top: 1px solid var(--jp-border-color2); }
.bar input[type='range'] { flex: 1 1 160px; min-width: 80px; accent-color: var(--jp-brand-color1); }
.bar .time { min-width: 7.5em; font-variant-numeric: tabular-nums; }
button, select { font: inherit; color: inherit; min-height: 26px; padding: 1px 8px; border-radius: 3px;
  border: 1px solid var(--jp-border-color1); background: var(--jp-layout-color1); cursor: pointer; }
button:hover, select:hover { background: var(--jp-layout-color2); }
button[aria-pressed='true'] { border-color: var(--jp-brand-color1); box-shadow: inset 0 0 0 1px var(--jp-brand-color1); }
button:focus-visible, select:focus-visible, input:focus-visible { outline: 2px solid var(--jp-brand-color1); }
select { max-width: 100%; }
.plot { display: block; width: 100%; height: 96px; border-top: 1px solid var(--jp-border-color2); cursor: pointer; }
`;
