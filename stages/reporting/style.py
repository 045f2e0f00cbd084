"""How a report looks: on a desk, on a telephone, on paper; light and dark."""

STYLE = """
:root { --ink: #1d2328; --soft: #5d6770; --rule: #d9dee2; --paper: #fff; --wash: #f5f7f8; --ours: #1f6f9c;
  --theirs: #8a6d1d; --warn: #fff4d6; --warn-rule: #d9a514; color-scheme: light; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 74rem; padding: 2.5rem 1.5rem 5rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  overflow-wrap: break-word; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -.012em; margin: .15rem 0 1rem;
  max-width: 44rem; }
h2 { font-size: 1.2rem; font-weight: 650; margin: 0 0 .6rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 1.4rem 0 .3rem; }
p { margin: 0 0 .8rem; max-width: 46rem; }
section { margin-top: 2.6rem; padding-top: 1.1rem; border-top: 1px solid var(--rule); }
.kicker { margin: 0; font-size: .85rem; color: var(--soft); letter-spacing: .02em; }
.lead { font-size: 1.08rem; }
.soft { color: var(--soft); font-size: .88rem; }
.banner { background: var(--warn); border-left: 4px solid var(--warn-rule); padding: .65rem .9rem; margin: 1rem 0;
  max-width: none; font-weight: 550; }
dl.remarks { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.2rem; margin: 1.2rem 0 0;
  max-width: 54rem; }
dl.remarks dt { color: var(--soft); } dl.remarks dd { margin: 0; }
.scroll { overflow-x: auto; margin: .6rem 0 .9rem; }
table { border-collapse: collapse; font-size: .88rem; line-height: 1.35; font-variant-numeric: tabular-nums; }
th { font-weight: 600; color: var(--soft); vertical-align: bottom; }
th, td { padding: .38rem .5rem; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
th { white-space: normal; }
thead th { border-bottom: 1.5px solid var(--ink); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
tr:last-child td { border-bottom: 1.5px solid var(--ink); }
.results td:first-child, .classes td:first-child { white-space: normal; min-width: 9rem; max-width: 19rem; }
.results small { font-size: .92em; font-weight: 400; color: var(--soft); }
.results tbody tr:hover, .classes tbody tr:hover { background: var(--wash); }
th.group { text-align: center; }
td.ours { color: var(--ours); font-weight: 600; }
td.absent, td.unsupported { color: var(--soft); font-weight: 400; }
td.absent { font-style: italic; }
td.supported { font-weight: 600; }
td.drawing, th.drawing { padding: 0 0 0 .6rem; }
th.drawing { white-space: nowrap; padding-bottom: .38rem; text-align: center; }
td.drawing svg { display: block; }
.classes { font-size: .8rem; }
.classes th, .classes td { padding: .25rem .38rem; }
.classes th:first-child, .classes td:first-child { padding-left: 0; }
.classes thead th:not(:first-child) { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left;
  padding: .38rem .25rem; }
.classes tr.published td { color: var(--theirs); }
.settings td, .settings th { text-align: left; white-space: normal; vertical-align: top; overflow-wrap: anywhere; }
.settings { width: 100%; table-layout: fixed; }
.settings th:first-child { width: 36%; }
.conditions th:first-child { width: 20%; }
summary { cursor: pointer; margin: .3rem 0; }
.settings th, .settings td { padding-top: .22rem; padding-bottom: .22rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem 1.5rem; }
figure { margin: .6rem 0; min-width: 0; }
figure img { display: block; max-width: 100%; height: auto; }
figcaption { color: var(--soft); font-size: .82rem; margin-top: .25rem; }
ul.legend { list-style: none; margin: .2rem 0 .6rem; padding: 0; display: flex; flex-wrap: wrap; gap: .15rem 1.3rem;
  font-size: .82rem; }
ul.legend span { display: inline-block; width: 1.5em; height: .2em; margin-right: .5em; vertical-align: .28em; }
a { color: var(--ours); }
code { font-size: .88em; overflow-wrap: anywhere; }
@media (max-width: 40rem) {
  body { padding: 1.2rem 1rem 3rem; font-size: 15px; }
  h1 { font-size: 1.45rem; }
  dl.remarks { display: block; } dl.remarks dd { margin: 0 0 .6rem; }
  .results td:first-child, .classes td:first-child { min-width: 7.5rem; max-width: 8.5rem; position: sticky; left: 0;
    background: var(--paper); }
}
@media print {
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  table { font-size: 7.5pt; } th, td { padding: .15rem .3rem; }
  section { margin-top: 1.2rem; }
  .scroll { overflow: visible; } figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
  a { color: inherit; text-decoration: none; }
}
"""
