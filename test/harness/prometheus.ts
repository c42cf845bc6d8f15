import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { runChild, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { poll } from './poll.ts';
import type { Scope } from './teardown.ts';

/** One row of an instant query's answer. */
export interface QueryRow {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface PrometheusServer {
  readonly url: string;
  /** An instant query, now. @throws Error with Prometheus' text for a bad expression. */
  query(expression: string): Promise<QueryRow[]>;
  /** Waits until a scrape that began after this call was made has been stored. */
  scraped(): Promise<void>;
  /** What went wrong with the last scrape; empty when it went well. */
  lastError(): Promise<string>;
}

export const PROMETHEUS_MISSING =
  'Prometheus is not to be had here: `apt-get install prometheus` (Debian, Ubuntu), or put prometheus and promtool of https://prometheus.io/download/ on PATH.';

const hasPrograms = async (scope: Scope): Promise<boolean> => {
  for (const program of ['prometheus', 'promtool']) {
    const run = await runChild(scope, program, ['--version']);
    if (run.code !== 0) return false;
  }
  return true;
};

interface Target {
  readonly lastError: string;
}
const ask = async (url: string): Promise<{ data: unknown }> => {
  const response = await fetch(url);
  const body = (await response.json()) as { status: string; error?: string; data: unknown };
  if (body.status !== 'success') throw new Error(`${url}: ${body.error}`);
  return body;
};

/** Starts Prometheus, scraping `/metrics` of `target` (host:port) every second. Undefined when it is not installed. */
export const startPrometheus = async (scope: Scope, target: string): Promise<PrometheusServer | undefined> => {
  if (!(await hasPrograms(scope))) return undefined;
  const folder = mkdtempSync(`${tmpdir()}/perilune-prometheus-`);
  scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    `${folder}/prometheus.yml`,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: perilune
    static_configs: [{ targets: ["${target}"] }]
`,
  );
  const address = `127.0.0.1:${await freePort()}`;
  const child = startChild(scope, 'prometheus', [
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/data`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ]);
  const url = `http://${address}`;
  await poll(`Prometheus is ready at ${url}`, async () => (await fetch(`${url}/-/ready`)).ok).catch(
    (error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${child.output()}`);
    },
  );
  const targetState = async (): Promise<Target | undefined> =>
    ((await ask(`${url}/api/v1/targets`)).data as { activeTargets: Target[] }).activeTargets[0];
  const query = async (expression: string): Promise<QueryRow[]> => {
    const { data } = await ask(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const rows = (data as { result: { metric: Record<string, string>; value: [number, string] }[] }).result;
    return rows.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  };
  return {
    url,
    query,
    async scraped() {
      const asked = Date.now();
      // What a query shows: the state of the target is of before the samples are stored.
      await poll('Prometheus scrapes', async () => {
        const [latest] = await query('timestamp(up)');
        return latest !== undefined && latest.value * 1000 > asked;
      });
    },
    async lastError() {
      return (await targetState())?.lastError ?? 'there is no target';
    },
  };
};

/** The lines of `promtool check metrics` for this text; none when it has nothing to say. */
export const checkMetrics = async (scope: Scope, text: string): Promise<readonly string[]> => {
  const run = await runChild(scope, 'promtool', ['check', 'metrics'], { stdin: text });
  return [...run.stdout, ...run.stderr].filter((line) => line !== '');
};
