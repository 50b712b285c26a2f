import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jobDefinitions } from '@app/features/catalogue';
import { parse, stringify } from 'yaml';
import { dashboard, dashboardText, panels, withoutVariables } from '../test/support/dashboard';
import { anchorsOf } from './docs/markdown';

const projectFolder = join(__dirname, '..');
const textOf = (path: string) => readFileSync(join(projectFolder, path), 'utf8');
const { groups } = parse(textOf('deploy/prometheus/alerts.yml')) as {
  groups: readonly { rules: readonly { alert: string; expr: string }[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);
const annotations = dashboard.annotations.list.map(({ target }) => target.expr);
const queries = [...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)), ...annotations];
const prometheus = parse(textOf('deploy/prometheus/prometheus.yml')) as {
  global: { scrape_interval: string };
  scrape_configs: readonly { job_name: string }[];
};

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const mustHave = process.env['REQUIRE_BROKERS'] === 'all';

describe.each(panels)('the panel $title', ({ description, links, targets, fieldConfig }) => {
  it('says what it shows, in which unit, and what to do', () => {
    expect(description).toMatch(/^[A-Z\d][^.]+\. [A-Z][^.]+\.$/);
    expect(fieldConfig.defaults.unit).toMatch(/^(s|ops|percentunit|bytes|short)$/);
    expect(links).toHaveLength(1);
    expect(targets.filter(({ legendFormat }) => !legendFormat.includes('{{'))).toEqual([]);
  });

  it('shows metrics that docs/metrics.md describes', () => {
    const page = textOf('docs/metrics.md');
    const names = targets.flatMap(({ expr }) => metricsOf(expr));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !/^(nodejs_|process_)/.test(name) && !page.includes(`| \`${name}\``))).toEqual(
      names.includes('ALERTS') ? ['ALERTS'] : [],
    );
  });

  // Every relay reports the same figures of the ledger.
  it('adds no figures of two relays', () => {
    const count = (expr: string, part: RegExp) => [...expr.matchAll(part)].length;
    for (const { expr } of targets) expect(count(expr, /max by \([^)]*\) \(ledger_/g)).toBe(count(expr, /ledger_/g));
  });

  it('draws the limit of the alert whose runbook it links to', () => {
    const { custom, thresholds } = fieldConfig.defaults;
    if (custom?.thresholdsStyle === undefined) return;
    const alert = alerts.find((one) => links![0]!.url.endsWith(`#${one.alert.toLowerCase()}`));
    expect(alert!.expr).toMatch(new RegExp(`> ${thresholds!.steps[1]!.value}\\b(?!\\.)`));
  });
});

describe('the dashboard', () => {
  it('has panels with ids of their own, which do not overlap', () => {
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });

  it('links only to pages and headings that exist', () => {
    const links = [...panels.flatMap(({ links: some }) => some!), ...dashboard.links];
    for (const { title, url } of links) {
      const [page, anchor] = title.split('#') as [string, string?];
      expect(existsSync(join(projectFolder, page))).toBe(true);
      expect(url).toBe(`\${docs}/${title.replace(/^docs\//, '').replace('.md', '.html')}`);
      if (anchor !== undefined) expect(anchorsOf(textOf(page))).toContain(anchor);
    }
  });

  it('has rows that docs/metrics.md explains', () => {
    const page = textOf('docs/metrics.md');
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter((title) => !new RegExp(`^\\| ${title} +\\|`, 'm').test(page))).toEqual([]);
  });

  it('names no kind of job', () => {
    expect(jobDefinitions.map(({ kind }) => kind).filter((kind) => dashboardText.includes(kind))).toEqual([]);
  });

  it('uses only variables that it has', () => {
    const names = new Set(dashboard.templating.list.map(({ name }) => name));
    const used = [...dashboardText.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name!);
    expect(used.filter((name) => !names.has(name) && !name.startsWith('__'))).toEqual([]);
    expect([...names].filter((name) => !used.includes(name))).toEqual([]);
  });

  it('reads the processes that prometheus.yml scrapes, as often as it scrapes them', () => {
    const jobs = queries.flatMap((expr) => [...expr.matchAll(/\bjob="([^"]*)"/g)].map(([, job]) => job));
    const names = prometheus.scrape_configs.map(({ job_name: name }) => name);
    expect(jobs.length).toBeGreaterThan(0);
    expect(jobs.filter((job) => !names.includes(job!))).toEqual([]);
    const { datasources } = parse(textOf('deploy/grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: readonly { jsonData: { timeInterval: string } }[];
    };
    expect(datasources[0]!.jsonData.timeInterval).toBe(prometheus.global.scrape_interval);
  });

  (hasPromtool || mustHave ? it : it.skip)('has only queries that promtool can read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dashboard-'));
    const rules = queries.map((expr, at) => ({ record: `query_${at}`, expr: withoutVariables(expr, '5m') }));
    writeFileSync(join(folder, 'queries.yml'), stringify({ groups: [{ name: 'queries', rules }] }));
    const { stdout, stderr } = spawnSync('promtool', ['check', 'rules', 'queries.yml'], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect([stdout, stderr]).toEqual([expect.stringContaining(`SUCCESS: ${rules.length} rules found`), '']);
  });
});

/** @returns the names of the metrics, without what Prometheus adds to those of a histogram */
function metricsOf(expression: string): string[] {
  const bare = expression.replace(/\{[^}]*\}|"[^"]*"|\b(?:by|offset) (?:\([^)]*\)|\w+)|\[[^\]]*\]/g, ' ');
  const words = [...bare.matchAll(/\b[a-zA-Z_]\w*\b(?!\s*\()/g)].map(([word]) => word);
  return words.filter((word) => !['or', 'unless'].includes(word)).map((word) => word.replace(/_(bucket|count)$/, ''));
}
