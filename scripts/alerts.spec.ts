import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { anchorsOf } from './docs/markdown';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

interface RuleTest {
  readonly alert_rule_test?: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
}

const projectFolder = join(__dirname, '..');
const textOf = (path: string) => readFileSync(join(projectFolder, path), 'utf8');
const { groups } = parse(textOf('deploy/prometheus/alerts.yml')) as { groups: readonly { rules: readonly Alert[] }[] };
const { tests } = parse(textOf('deploy/prometheus/alerts.test.yml')) as { tests: readonly RuleTest[] };
const alerts = groups.flatMap(({ rules }) => rules);
const checks = tests.flatMap(({ alert_rule_test: all = [] }) => all);

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const mustHave = process.env['REQUIRE_BROKERS'] === 'all';

describe.each(alerts)('the alert $alert', ({ alert, expr, labels, annotations }) => {
  // promtool passes a test of an alert that does not exist.
  it('has a test in which it fires', () => {
    expect(checks.some((check) => check.alertname === alert && check.exp_alerts.length > 0)).toBe(true);
  });

  it('uses metrics that docs/metrics.md describes', () => {
    const page = textOf('docs/metrics.md');
    const names = [...expr.matchAll(/\b(?:ledger|jobs?|leases)_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''));
    expect(names.filter((name) => !page.includes(`| \`${name}\``))).toEqual([]);
  });

  it('says how urgent it is, and has a runbook', () => {
    expect(labels.severity).toMatch(/^(page|ticket)$/);
    const [page, anchor] = annotations.runbook.split('#') as [string, string];
    for (const one of [page, page.replace('docs/', 'docs/zh-CN/')].filter((path) =>
      existsSync(join(projectFolder, path)),
    )) {
      expect(anchorsOf(textOf(one))).toContain(anchor);
    }
  });
});

it('tests name only alerts that exist', () => {
  expect(
    checks.map(({ alertname }) => alertname).filter((name) => !alerts.some(({ alert }) => alert === name)),
  ).toEqual([]);
});

(hasPromtool || mustHave ? it : it.skip)('fire, and do not fire, as promtool proves', () => {
  const { status, stdout, stderr, error } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], {
    cwd: join(projectFolder, 'deploy/prometheus'),
    encoding: 'utf8',
  });
  expect([error?.message, status, stdout, status === 0 ? '' : stderr]).toEqual([
    undefined,
    0,
    expect.stringContaining('SUCCESS'),
    '',
  ]);
});

(hasPromtool || mustHave ? it : it.skip)(
  'are loaded by prometheus.yml, with the rules of rules.d if there are any',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'rules-'));
    for (const name of ['prometheus.yml', 'alerts.yml']) {
      cpSync(join(projectFolder, 'deploy/prometheus', name), join(folder, name));
    }
    const check = () => spawnSync('promtool', ['check', 'config', 'prometheus.yml'], { cwd: folder, encoding: 'utf8' });
    expect(check()).toMatchObject({ status: 0, stdout: expect.stringContaining('1 rule files found') });
    mkdirSync(join(folder, 'rules.d'));
    writeFileSync(join(folder, 'rules.d/broker.yml'), 'groups: []\n');
    expect(check()).toMatchObject({ status: 0, stdout: expect.stringContaining('2 rule files found') });
    rmSync(folder, { recursive: true });
  },
);
