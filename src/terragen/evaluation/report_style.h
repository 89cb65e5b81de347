// How a report looks. Included by html_report.cpp alone.
#pragma once

namespace terragen::evaluation {

// Dark colours are for screens only, so that paper is always white. Wide tables and plots scroll within themselves: the
// page does not move sideways on a phone.
inline constexpr const char* kReportStyle = R"css(
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --quiet: #59626c; --rule: #d3d9df; --tint: #eef4fb; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #15181c; --text: #e4e7ea; --quiet: #a2abb4; --rule: #3a4149; --tint: #1d2a3a; }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; overflow-wrap: break-word; }
h1 { margin: 0 0 .75rem; font-size: 1.75rem; line-height: 1.2; text-wrap: balance; }
h2 { margin: 2.75rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--rule); font-size: 1.25rem; }
p { max-width: 44rem; margin: .75rem 0; }
.summary { margin-bottom: 1.5rem; font-size: 1.125rem; }
.scroll { margin: 1.5rem 0; overflow-x: auto; }
table { border-collapse: collapse; font-size: .9375rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
caption { padding-bottom: .5rem; color: var(--quiet); text-align: left; }
caption span { position: sticky; left: 0; display: inline-block; max-width: calc(100vw - 2rem); }
th, td { padding: .35rem .75rem; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: baseline; }
thead th { border-bottom: 2px solid var(--quiet); vertical-align: bottom; }
tbody th { position: sticky; left: 0; background: var(--page); font-weight: 400; }
th:first-child { padding-left: .5rem; }
.number { text-align: right; white-space: nowrap; }
.emphasis > * { background: var(--tint); font-weight: 650; }
figure { margin: 1.75rem 0; }
figure.scroll svg { display: block; }
figcaption { max-width: 44rem; margin-top: .5rem; color: var(--quiet); font-size: .9375rem; }
img { display: block; max-width: 100%; height: auto; }
pre { margin: 1.25rem 0; padding: .75rem 1rem; border: 1px solid var(--rule); border-radius: .375rem; overflow-x: auto; }
code { font: .875rem/1.5 ui-monospace, monospace; }
@media (max-width: 40rem) {
  main { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  th, td { padding: .35rem .5rem; }
  tbody th { min-width: 6.5rem; }
}
@media print {
  html { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  tr, figure, svg { break-inside: avoid; }
  .scroll { overflow: visible; }
  tbody th { position: static; background: none; }
  figure.scroll svg { min-width: 0 !important; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .emphasis > * { print-color-adjust: exact; }
}
)css";

}  // namespace terragen::evaluation
