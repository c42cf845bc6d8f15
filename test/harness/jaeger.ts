import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { runChild, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { goBuiltJaeger } from './jaeger-binary.ts';
import { type JsonTraces, type ReadSpan, spansFromJson } from './otlp-spans.ts';
import { poll } from './poll.ts';
import type { Scope } from './teardown.ts';

/** A running Jaeger 2. */
export interface Jaeger {
  /** Which of the ways it came by. */
  readonly source: string;
  /** The collector's OTLP over HTTP, without a path. */
  readonly otlpUrl: string;
  /** Every span of a service, read from the query API. */
  spans(service: string): Promise<ReadSpan[]>;
}

const IMAGE = 'jaegertracing/jaeger:2.13.0';

const getJson = async (url: string): Promise<unknown> => {
  const response = await fetch(url);
  const text = await response.text();
  // Jaeger answers 404 for a service or trace that it has not seen yet.
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return JSON.parse(text);
};

const jaegerAt = (source: string, queryUrl: string, otlpUrl: string): Jaeger => ({
  source,
  otlpUrl,
  async spans(service) {
    const list = (await getJson(
      `${queryUrl}/api/traces?service=${encodeURIComponent(service)}&limit=1000&lookback=1h`,
    )) as { data?: { traceID: string }[] } | undefined;
    const spans: ReadSpan[] = [];
    for (const { traceID } of list?.data ?? []) {
      // API v3 answers OTLP: kinds, statuses, links and resources as they were sent.
      const answer = (await getJson(`${queryUrl}/api/v3/traces/${traceID}`)) as { result?: JsonTraces } | undefined;
      spans.push(...spansFromJson(answer?.result ?? {}));
    }
    return spans;
  },
});

const configuration = (ports: { query: number; queryGrpc: number; otlp: number }): string => `service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] }
  telemetry:
    metrics: { level: none }
    logs: { level: warn }
extensions:
  jaeger_storage:
    backends:
      memory: { memory: { max_traces: 100000 } }
  jaeger_query:
    storage: { traces: memory }
    http: { endpoint: "127.0.0.1:${ports.query}" }
    grpc: { endpoint: "127.0.0.1:${ports.queryGrpc}" }
receivers:
  otlp:
    protocols:
      http: { endpoint: "127.0.0.1:${ports.otlp}" }
exporters:
  jaeger_storage_exporter: { trace_storage: memory }
`;

const waitForQuery = (queryUrl: string, output: () => string): Promise<unknown> =>
  poll(`Jaeger answers at ${queryUrl}`, async () => (await getJson(`${queryUrl}/api/services`)) !== undefined).catch(
    (error: unknown) => {
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${output()}`);
    },
  );

const startBinary = async (scope: Scope, source: string, binary: string): Promise<Jaeger> => {
  const folder = mkdtempSync(`${tmpdir()}/perilune-jaeger-`);
  scope.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ports = { query: await freePort(), queryGrpc: await freePort(), otlp: await freePort() };
  writeFileSync(`${folder}/config.yaml`, configuration(ports));
  const child = startChild(scope, binary, ['--config', `${folder}/config.yaml`]);
  const queryUrl = `http://127.0.0.1:${ports.query}`;
  await waitForQuery(queryUrl, child.output);
  return jaegerAt(source, queryUrl, `http://127.0.0.1:${ports.otlp}`);
};

/** Undefined when there is no Docker engine that answers, or the image cannot be had. */
const startContainer = async (scope: Scope, say: (line: string) => void): Promise<Jaeger | undefined> => {
  const engine = await runChild(scope, 'docker', ['version', '--format', '{{.Server.Version}}'], {
    env: process.env,
  });
  if (engine.code !== 0) return undefined;
  const publish = ['-p', '127.0.0.1::16686', '-p', '127.0.0.1::4318'];
  const run = await runChild(scope, 'docker', ['run', '--rm', '--detach', ...publish, IMAGE], { env: process.env });
  if (run.code !== 0) {
    say(`Jaeger: docker run ${IMAGE} failed (${run.stderr.at(-1) ?? 'no output'}); trying the next way`);
    return undefined;
  }
  const id = run.stdout.at(-1) ?? '';
  scope.teardown(() => runChild({ teardown: () => {} }, 'docker', ['rm', '--force', id], { env: process.env }));
  const addressOf = async (port: number): Promise<string> =>
    `http://${(await runChild(scope, 'docker', ['port', id, `${port}/tcp`], { env: process.env })).stdout[0]}`;
  const queryUrl = await addressOf(16686);
  await waitForQuery(queryUrl, () => `container ${id}`);
  return jaegerAt(`Docker, ${IMAGE}`, queryUrl, await addressOf(4318));
};

/** What to tell a user whose machine has none of the ways. */
export const JAEGER_MISSING = `Jaeger is not to be had here. One of these gives it:
  JAEGER_URL=http://host:16686   a running Jaeger 2 (its OTLP over HTTP at port 4318 of the same host, or JAEGER_OTLP_URL)
  JAEGER_BIN=/path/to/jaeger     the program of Jaeger 2, from https://www.jaegertracing.io/download/
  Docker                         an engine that answers \`docker version\`
  Go 1.25 or newer               builds it once, from test/e2e/jaeger`;

/** The first of: JAEGER_URL, JAEGER_BIN, Docker, the Go toolchain. Undefined when there is none; `say` is told which. */
export const startJaeger = async (scope: Scope, say: (line: string) => void): Promise<Jaeger | undefined> => {
  const { JAEGER_URL, JAEGER_BIN, JAEGER_OTLP_URL } = process.env;
  if (JAEGER_URL !== undefined && JAEGER_URL !== '') {
    const base = JAEGER_URL.replace(/\/$/, '');
    say(`Jaeger: running at ${base} (JAEGER_URL)`);
    const otlp = JAEGER_OTLP_URL ?? `${new URL(base).protocol}//${new URL(base).hostname}:4318`;
    await waitForQuery(base, () => 'JAEGER_URL is set');
    return jaegerAt('JAEGER_URL', base, otlp);
  }
  if (JAEGER_BIN !== undefined && JAEGER_BIN !== '') {
    say(`Jaeger: ${JAEGER_BIN} (JAEGER_BIN)`);
    return startBinary(scope, 'JAEGER_BIN', JAEGER_BIN);
  }
  const container = await startContainer(scope, say);
  if (container !== undefined) {
    say(`Jaeger: ${container.source}`);
    return container;
  }
  const binary = await goBuiltJaeger(scope, say);
  return binary === undefined ? undefined : startBinary(scope, 'the Go toolchain', binary);
};
