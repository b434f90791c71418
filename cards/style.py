"""The style sheet of the HTML cards: calm, readable in light and dark, status told by shape before colour."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --rf-paper: #ffffff; --rf-page: #f4f5f7; --rf-ink: #1c2430; --rf-soft: #566072; --rf-rule: #dde1e8;
  --rf-field: #f7f8fa; --rf-edge: #8a94a6; --rf-accent: #1f5fbf; --rf-on-accent: #ffffff; --rf-focus: #1f5fbf;
  --rf-red: #b3261e; --rf-red-tint: #fdecea; --rf-amber: #8a5300; --rf-amber-tint: #fff3dc;
  --rf-green: #1a6b3c; --rf-green-tint: #e6f4ea; --rf-none: #566072; --rf-none-tint: #eef0f3;
  --rf-shadow: 0 1px 2px rgb(20 30 50 / .06), 0 6px 24px rgb(20 30 50 / .07);
}
@media (prefers-color-scheme: dark) {
  :root {
    --rf-paper: #1b212b; --rf-page: #11151c; --rf-ink: #e8ecf2; --rf-soft: #a9b3c3; --rf-rule: #303947;
    --rf-field: #222a36; --rf-edge: #75819a; --rf-accent: #8db8ff; --rf-on-accent: #0d1a30; --rf-focus: #8db8ff;
    --rf-red: #ff9b91; --rf-red-tint: #43211f; --rf-amber: #f5c26b; --rf-amber-tint: #3b2e14;
    --rf-green: #85d6a3; --rf-green-tint: #193626; --rf-none: #a9b3c3; --rf-none-tint: #2a323f;
    --rf-shadow: 0 1px 2px rgb(0 0 0 / .4), 0 6px 24px rgb(0 0 0 / .3);
  }
}
.rf-card {
  box-sizing: border-box; max-width: 44rem; padding: 1.5rem 1.75rem; border-radius: 14px; overflow-wrap: anywhere;
  background: var(--rf-paper); color: var(--rf-ink); border: 1px solid var(--rf-rule); box-shadow: var(--rf-shadow);
  font: 400 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
}
.rf-card *, .rf-card *::before { box-sizing: border-box; }
.rf-title { margin: 0 0 .35rem; font-size: 1.35rem; line-height: 1.3; letter-spacing: -.01em; text-wrap: balance; }
.rf-part { margin: 1.75rem 0 .25rem; font-size: 1.05rem; line-height: 1.4; }
.rf-text { margin: .4rem 0; }
.rf-strong { font-weight: 650; }
.rf-muted { color: var(--rf-soft); font-size: .9rem; }
.rf-divider { margin: 1.1rem 0; border: 0; border-top: 1px solid var(--rf-rule); }

.rf-badge { display: flex; flex-wrap: wrap; align-items: center; gap: .35rem .65rem; margin: 1rem 0 .5rem; }
.rf-about { font-weight: 650; }
.rf-status {
  display: inline-flex; align-items: baseline; gap: .4em; padding: .12rem .65rem; border-radius: 999px;
  font-size: .875rem; font-weight: 650; white-space: nowrap; border: 1px solid currentColor;
}
.rf-symbol { font-size: .8em; }
.rf-status.rf-red { color: var(--rf-red); background: var(--rf-red-tint); }
.rf-status.rf-amber { color: var(--rf-amber); background: var(--rf-amber-tint); }
.rf-status.rf-green { color: var(--rf-green); background: var(--rf-green-tint); }
.rf-status.rf-none { color: var(--rf-none); background: var(--rf-none-tint); border-style: dashed; }

.rf-fields {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .6rem 1.25rem; margin: .6rem 0;
}
.rf-fields dt { color: var(--rf-soft); font-size: .8125rem; }
.rf-fields dd { margin: 0; font-weight: 550; font-variant-numeric: tabular-nums; }

.rf-fields.rf-long { grid-template-columns: 1fr; }
.rf-long > div { display: grid; grid-template-columns: 10rem 1fr; gap: 0 1.25rem; align-items: baseline; }
.rf-long dd { font-weight: 400; }

.rf-figure { margin: .9rem 0; }
.rf-name { font-size: .9rem; font-weight: 600; }
.rf-score { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.5rem; }
.rf-score figcaption { display: grid; gap: .25rem; justify-items: start; }
.rf-told { font-size: 1.1rem; }
.rf-score .rf-name { color: var(--rf-soft); }
.rf-gauge { width: 11.5rem; height: auto; color: var(--rf-accent); }
.rf-gauge.rf-red { color: var(--rf-red); }
.rf-gauge.rf-amber { color: var(--rf-amber); }
.rf-gauge.rf-green { color: var(--rf-green); }
.rf-trend { display: block; width: 100%; height: auto; margin: .35rem 0; }
.rf-svg-track, .rf-svg-fill { fill: none; stroke-width: 15; stroke-linecap: round; }
.rf-svg-track { stroke: var(--rf-none-tint); }
.rf-svg-fill { stroke: currentColor; }
.rf-svg-score { fill: var(--rf-ink); font-size: 40px; font-weight: 700; font-variant-numeric: tabular-nums; }
.rf-svg-grid { stroke: var(--rf-rule); stroke-width: 1; }
.rf-svg-tick, .rf-svg-rule { fill: var(--rf-soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.rf-svg-line { fill: none; stroke: var(--rf-accent); stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.rf-svg-area { fill: var(--rf-accent); opacity: .09; }
.rf-svg-dot { fill: var(--rf-accent); }
.rf-svg-last { fill: var(--rf-accent); stroke: var(--rf-paper); stroke-width: 2; }
.rf-svg-value {
  fill: var(--rf-ink); font-size: 14px; font-weight: 700;
  paint-order: stroke; stroke: var(--rf-paper); stroke-width: 4px; stroke-linejoin: round;
}
.rf-svg-target { stroke: var(--rf-green); stroke-width: 1.5; stroke-dasharray: 7 5; }
.rf-svg-red { stroke: var(--rf-red); stroke-width: 1.5; stroke-dasharray: 2 4; stroke-linecap: round; }
.rf-svg-target-words { fill: var(--rf-green); }
.rf-svg-red-words { fill: var(--rf-red); }

.rf-wide { overflow-x: auto; margin: .9rem 0; border-radius: 8px; }
.rf-table { width: 100%; border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
.rf-table caption { padding: 0 0 .4rem; text-align: start; font-weight: 600; font-size: .9rem; }
.rf-table th, .rf-table td { padding: .5rem .75rem .5rem 0; text-align: start; vertical-align: top; }
.rf-table thead th {
  color: var(--rf-soft); font-size: .8125rem; font-weight: 600; border-bottom: 1px solid var(--rf-edge);
}
.rf-table tbody th { font-weight: 550; }
.rf-table tbody tr + tr > * { border-top: 1px solid var(--rf-rule); }
.rf-table .rf-number { text-align: end; padding-inline-end: .25rem; }

.rf-links { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: .75rem 0; padding: 0; list-style: none; }
.rf-card a { color: var(--rf-accent); text-underline-offset: .15em; }
.rf-buttons { display: flex; flex-wrap: wrap; gap: .5rem; margin: .9rem 0 .25rem; }
.rf-button {
  min-height: 2.5rem; padding: .35rem .95rem; border-radius: 9px; border: 1px solid var(--rf-edge); cursor: pointer;
  background: var(--rf-field); color: var(--rf-ink); font: inherit; font-size: .9375rem; font-weight: 550;
}
.rf-button:hover { border-color: var(--rf-ink); }
.rf-button.rf-primary { background: var(--rf-accent); border-color: var(--rf-accent); color: var(--rf-on-accent); }
.rf-button.rf-danger { color: var(--rf-red); border-color: var(--rf-red); background: transparent; }
.rf-card :focus-visible { outline: 3px solid var(--rf-focus); outline-offset: 2px; }

.rf-input { display: grid; gap: .25rem; margin: 1rem 0; }
.rf-hint, .rf-optional { color: var(--rf-soft); font-size: .875rem; font-weight: 400; }
.rf-input :is(input, select, textarea) {
  width: 100%; min-height: 2.5rem; padding: .45rem .7rem; border-radius: 9px; border: 1px solid var(--rf-edge);
  background: var(--rf-field); color: var(--rf-ink); font: inherit;
}
@media (max-width: 30rem) {
  .rf-card { padding: 1.1rem; border-radius: 10px; }
  .rf-long > div { grid-template-columns: 1fr; }
}
@media (forced-colors: active) { .rf-svg-line { stroke: CanvasText; } .rf-svg-fill { stroke: Highlight; } }
"""
