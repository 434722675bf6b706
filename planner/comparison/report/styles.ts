/** Okabe and Ito's colours, which colour-blind readers tell apart, and lighter ones of the same hues for dark pages. */
export const STYLES = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --band: #f6f8fa;
  --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #b5548a; --c4: #b87d00; --c5: #3b8fc2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171c; --text: #e6e9ed; --soft: #9aa4af; --line: #343b44; --band: #1c2128;
    --c0: #5aaeea; --c1: #ff9352; --c2: #36cfa0; --c3: #ea9fca; --c4: #f0b83d; --c5: #9ad3f7;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 88rem;
  background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; }
p { margin: .25rem 0 .75rem; color: var(--soft); max-width: 48rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .4rem; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
td.number, th.number { text-align: right; }
tbody tr:hover { background: var(--band); }
svg { display: block; max-width: 100%; height: auto; }
svg.wide { width: 100%; max-width: 72rem; }
svg text { fill: var(--text); font-size: 12px; }
svg .soft { fill: var(--soft); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .diagonal { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 3; }
.plots { display: flex; flex-wrap: wrap; gap: 1.25rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: 13px; margin: .25rem 0 .5rem; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .4em; }
details > summary { cursor: pointer; margin: .75rem 0 .5rem; color: var(--soft); }
.finding { border-left: 3px solid var(--c1); padding: .25rem .75rem; margin: .4rem 0; overflow-wrap: anywhere; }
`

const COLOURS = 6

/** The same thing has the same colour in every plot. */
export function colourOf(index: number): string {
  return `var(--c${index % COLOURS})`
}
