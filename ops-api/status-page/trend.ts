import { type Html, html } from './html.ts';
import { number } from './words.ts';

interface TrendPoint {
  readonly at: string;
  readonly value: number | null;
}

const width = 600;
const height = 120;
const gap = 2;

/** Bars over time as inline SVG, with its figures in words beside it; a slot of which nothing is known has no bar. */
export function trend(title: string, points: readonly TrendPoint[]): Html {
  const highest = Math.max(0, ...points.map(({ value }) => value ?? 0));
  const each = width / Math.max(1, points.length);
  const bars = points.flatMap(({ at, value }, slot) => {
    if (value === null) return [];
    const tall = highest === 0 ? 1 : Math.max(1, (value / highest) * height);
    return html`<rect class="bar" x="${(slot * each).toFixed(1)}" y="${(height - tall).toFixed(1)}" width="${Math.max(1, each - gap).toFixed(1)}" height="${tall.toFixed(1)}"><title>${hour(at)}: ${number(value)}</title></rect>`;
  });
  const known = points.flatMap(({ value }) => value ?? []);
  const sum = known.reduce((all, value) => all + value, 0);
  const summary =
    known.length === 0 ? 'nothing known yet' : `${number(sum)} in 24 h, at most ${number(highest)} an hour`;
  return html`<figure>
    <figcaption><strong>${title}</strong> <span class="quiet">${summary}</span></figcaption>
    <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${title}: ${summary}">${bars}<line class="axis" x1="0" x2="${width}" y1="${height}" y2="${height}"/></svg>
    <p class="hours quiet"><span>${hour(points[0]?.at)}</span><span>${hour(points.at(-1)?.at)} UTC</span></p>
  </figure>`;
}

const hour = (at: string | undefined): string => (at === undefined ? '' : at.slice(11, 16));
