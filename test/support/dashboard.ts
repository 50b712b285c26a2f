import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Link {
  readonly title: string;
  readonly url: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly links?: readonly Link[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig: {
    readonly defaults: {
      readonly unit?: string;
      readonly custom?: { readonly thresholdsStyle?: object };
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
}

interface Variable {
  readonly name: string;
  /** An object if Prometheus knows the values. */
  readonly query: string | { readonly query: string };
}

export interface Dashboard {
  readonly links: readonly Link[];
  readonly annotations: { readonly list: readonly { readonly target: { readonly expr: string } }[] };
  readonly templating: { readonly list: readonly Variable[] };
  readonly panels: readonly Panel[];
}

const file = join(__dirname, '../../deploy/grafana/dashboards/queues.json');

export const dashboardText = readFileSync(file, 'utf8');
export const dashboard = JSON.parse(dashboardText) as Dashboard;

/** The panels that show something, without the headings of the rows. */
export const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/**
 * @param expression a query of the dashboard
 * @param range such as `5m`: what Grafana computes from the scrape interval
 * @returns the query that Prometheus gets while every broker and every kind is chosen
 */
export function withoutVariables(expression: string, range: string): string {
  return expression.replaceAll('$__rate_interval', range).replaceAll('"$kind"', '".*"').replaceAll('"$broker"', '".*"');
}
