import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { freePort } from '../../scripts/postgres/free-port';
import { projectFolder } from './postgres';
import { until } from './until';

export interface Monitoring {
  /** The subjects of the mails that Alertmanager has sent. */
  readonly mails: readonly string[];
  /**
   * Evaluates a PromQL expression now.
   * @returns the values of its series; empty when there is none
   * @throws Error with Prometheus's message when it cannot evaluate the expression
   */
  query(expression: string): Promise<number[]>;
  /** @returns the values that a label of these series has had, as a variable of a dashboard offers them */
  labelValues(series: string, label: string): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * Debian's Prometheus and Alertmanager with the files of deploy/prometheus, and a mail server for their mails. Everything
 * happens within seconds: scrapes each second, and no alert waits longer than a second before it fires.
 * @param targets the addresses with the metrics, such as `127.0.0.1:9100`
 * @param changed replaces texts in alerts.yml, such as a threshold
 */
export async function startMonitoring(
  targets: readonly string[],
  changed: Readonly<Record<string, string>>,
): Promise<Monitoring> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const deployed = (name: string) => readFileSync(join(projectFolder, 'deploy/prometheus', name), 'utf8');
  const mails: string[] = [];
  const mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, callback) => {
      void buffer(stream).then(async (bytes) => {
        const { subject } = await PostalMime.parse(bytes);
        mails.push(subject!);
        callback(null);
      });
    },
  });
  await new Promise<void>((resolve) => mailServer.listen(0, '127.0.0.1', resolve));
  const mailPort = (mailServer.server.address() as AddressInfo).port;
  const [port, alertPort] = [await freePort(), await freePort()];

  const rules = Object.entries(changed).reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`alerts.yml does not contain "${from}".`);
      return text.replaceAll(from, to);
    },
    deployed('alerts.yml').replace(/^( +for: )\w+$/gm, '$11s'),
  );
  writeFileSync(join(folder, 'alerts.yml'), rules);
  writeFileSync(
    join(folder, 'alertmanager.yml'),
    deployed('alertmanager.yml')
      .replace('mailpit:1025', `127.0.0.1:${mailPort}`)
      .replace('group_wait: 10s', 'group_wait: 1s')
      .replace('group_interval: 1m', 'group_interval: 1s'),
  );
  writeFileSync(
    join(folder, 'prometheus.yml'),
    deployed('prometheus.yml')
      .replaceAll('15s', '1s')
      .replace(/( +)- api:9100\n(?: +- .*\n)*/, (_, indent: string) =>
        targets.map((one) => `${indent}- ${one}\n`).join(''),
      )
      .replace('alertmanager:9093', `127.0.0.1:${alertPort}`),
  );
  let said = '';
  const run = (program: string, args: readonly string[]): ChildProcess => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-10_000)));
    return child;
  };
  const children = [
    run('prometheus', [
      '--config.file=prometheus.yml',
      '--storage.tsdb.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
    ]),
    run('prometheus-alertmanager', [
      '--config.file=alertmanager.yml',
      '--storage.path=alerts',
      `--web.listen-address=127.0.0.1:${alertPort}`,
      '--cluster.listen-address=',
    ]),
  ];
  const url = `http://127.0.0.1:${port}`;
  const ask = async <Data>(path: string, parameters: Record<string, string>): Promise<Data> => {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
    const { data, error } = (await response.json()) as { data: Data; error?: string };
    if (error !== undefined) throw new Error(`${error}: ${JSON.stringify(parameters)}`);
    return data;
  };
  await until(
    'Prometheus and Alertmanager are ready',
    async () => {
      if (children.some(({ exitCode }) => exitCode !== null)) throw new Error(said);
      const addresses = [`${url}/-/ready`, `http://127.0.0.1:${alertPort}/-/ready`];
      return Promise.all(
        addresses.map((address) =>
          fetch(address).then(
            ({ status }) => status,
            () => 0,
          ),
        ),
      );
    },
    (statuses) => statuses.every((status) => status === 200),
  );
  return {
    mails,
    query: async (expression) => {
      const { result } = await ask<{ result: { value: [number, string] }[] }>('query', { query: expression });
      return result.map(({ value }) => Number(value[1]));
    },
    labelValues: (series, label) => ask(`label/${label}/values`, { 'match[]': series }),
    stop: async () => {
      await Promise.all(
        children.map(async (child) => {
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          await ended;
        }),
      );
      await new Promise<void>((resolve) => mailServer.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
