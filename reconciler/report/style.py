"""The style sheet of the HTML pages: light and dark, from a phone's width up, on paper too. Loads nothing. No logic here."""

from typing import Final

SHEET: Final = """
:root {
  color-scheme: light dark;
  --ground: #f7f5f1; --card: #ffffff; --ink: #1f1d1a; --soft: #5d5850; --line: #e3ded5; --sunk: #f3f0ea;
  --create: #15703a; --update: #865300; --revert: #b3261e; --deferred: #5b3fb0; --manual: #0a5ca8; --unchanged: #6f6a61;
  --create-wash: #e6f4ea; --update-wash: #fbf0dc; --revert-wash: #fdeceb; --deferred-wash: #efebfb; --manual-wash: #e6f0fa;
  --unchanged-wash: #efece6;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131417; --card: #1b1d21; --ink: #eceae6; --soft: #a8a49c; --line: #30333a; --sunk: #22252a;
    --create: #5fd08a; --update: #e2b04a; --revert: #ff8a80; --deferred: #b9a3ff; --manual: #7cbcff; --unchanged: #a09b92;
    --create-wash: #16301f; --update-wash: #322713; --revert-wash: #3a1d1c; --deferred-wash: #262042; --manual-wash: #162a40;
    --unchanged-wash: #26282d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "PingFang SC", "Noto Sans CJK SC", sans-serif;
}
header, main, footer { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.75rem; }
footer { padding-bottom: 3rem; color: var(--soft); font-size: .8125rem; }
h1, h2, h3, p, ul, dl, table { margin: 0; }
h1 { font-size: 1.875rem; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h2 { font-size: 1.125rem; letter-spacing: -.01em; margin: 2.5rem 0 .75rem; }
h2 .count { color: var(--soft); font-weight: 400; margin-left: .35rem; }
h3 { font-size: .9375rem; font-weight: 600; }
.eyebrow { color: var(--soft); font-size: .8125rem; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; }
.facts { color: var(--soft); font-size: .875rem; margin-top: .5rem; }
code { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono", monospace; }
code, td, li, p, h1, h3 { overflow-wrap: anywhere; }
code { unicode-bidi: isolate; }
.account + .account { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: 1rem; }

.bar { display: block; width: 100%; height: .625rem; margin-top: 1.5rem; border-radius: 999px; overflow: hidden; }
.totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.25rem, 1fr)); gap: .625rem; margin-top: 1rem; }
.totals > div {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .625rem .875rem .5rem;
  display: flex; flex-direction: column-reverse;
}
.totals dt { color: var(--soft); font-size: .8125rem; }
.totals dd { margin: 0; font-size: 1.625rem; font-weight: 650; line-height: 1.2; font-variant-numeric: tabular-nums; }
.totals .none dd { color: var(--soft); font-weight: 400; }
.fill-create { fill: var(--create); } .fill-update { fill: var(--update); } .fill-revert { fill: var(--revert); }
.fill-deferred { fill: var(--deferred); } .fill-manual { fill: var(--manual); } .fill-unchanged { fill: var(--line); }
.ink-create { color: var(--create); } .ink-update { color: var(--update); } .ink-revert { color: var(--revert); }
.ink-deferred { color: var(--deferred); } .ink-manual { color: var(--manual); }

.alert {
  border: 1px solid var(--revert); border-left-width: .3125rem; border-radius: .75rem; background: var(--revert-wash);
  padding: .75rem 1rem; margin-top: .75rem;
}
.alert p + p { margin-top: .25rem; }
.help { color: var(--soft); font-size: .9375rem; }
.alert .help { color: inherit; }

.changes { list-style: none; padding: 0; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; overflow: hidden; }
.changes > li { display: grid; grid-template-columns: 2rem minmax(0, 1fr); column-gap: .875rem; padding: 1rem; }
.changes > li + li { border-top: 1px solid var(--line); }
.sign {
  width: 2rem; height: 2rem; border-radius: .5rem; display: grid; place-items: center;
  font: 700 1.125rem/1 ui-monospace, Menlo, Consolas, monospace;
}
.wash-create { background: var(--create-wash); color: var(--create); } .wash-update { background: var(--update-wash); color: var(--update); }
.wash-revert { background: var(--revert-wash); color: var(--revert); } .wash-deferred { background: var(--deferred-wash); color: var(--deferred); }
.wash-manual { background: var(--manual-wash); color: var(--manual); }
.wash-error { background: var(--revert-wash); color: var(--revert); } .wash-warning { background: var(--update-wash); color: var(--update); }
.wash-info { background: var(--unchanged-wash); color: var(--soft); } .wash-note { background: var(--unchanged-wash); color: var(--soft); }
.top { display: flex; flex-wrap: wrap; gap: .125rem .625rem; align-items: baseline; }
.tag { border-radius: 999px; padding: .0625rem .5625rem; font-size: .75rem; font-weight: 600; white-space: nowrap; }
.where { color: var(--soft); font-size: .8125rem; }
.fields { border-collapse: collapse; margin-top: .5rem; font-variant-numeric: tabular-nums; }
.fields th { color: var(--soft); font-weight: 400; text-align: left; padding: .125rem 1.25rem .125rem 0; vertical-align: baseline; font-size: .875rem; }
.fields td { padding: .125rem .625rem .125rem 0; vertical-align: baseline; }
.before { color: var(--soft); text-decoration: line-through; text-decoration-thickness: 1px; }
.before.absent { text-decoration: none; }
.arrow { color: var(--soft); }
.after { font-weight: 650; }
.more { color: var(--soft); font-size: .875rem; }
.remarks { margin-top: .5rem; padding: 0; list-style: none; color: var(--soft); font-size: .875rem; }
.model { margin: 1.5rem 0 .5rem; color: var(--soft); }
.model:first-of-type { margin-top: 0; }
.calm {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 1.5rem 1rem; margin-top: 2rem; text-align: center;
}
.calm p + p { color: var(--soft); }
details { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; margin-top: .75rem; }
summary { cursor: pointer; padding: .75rem 1rem; font-weight: 600; }
summary:focus-visible { outline: 2px solid var(--manual); outline-offset: 2px; border-radius: .75rem; }
summary .count { color: var(--soft); font-weight: 400; }
details > ul { list-style: none; padding: 0 1rem 1rem; }
details > ul > li + li { margin-top: .875rem; }
details > ul.names { columns: 18rem; column-gap: 1.5rem; font-size: .875rem; }
details > ul.names > li { break-inside: avoid; margin: 0; }
.rest { margin-top: 2.5rem; }
footer { margin-top: 3rem; }
footer p { border-top: 1px solid var(--line); padding-top: 1rem; }
@media (max-width: 30rem) {
  header { padding-top: 1.75rem; }
  h1 { font-size: 1.5rem; }
  .totals { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .5rem; }
  .totals > div { padding: .5rem .625rem .375rem; }
  .totals dd { font-size: 1.375rem; }
  .changes > li { column-gap: .75rem; padding: .875rem .75rem; }
  .fields tr { display: flex; flex-wrap: wrap; align-items: baseline; }
  .fields th { flex-basis: 100%; padding-bottom: 0; }
}
@media print {
  body { background: #ffffff; font-size: 11pt; }
  .changes > li, .alert { break-inside: avoid; }
}
"""
