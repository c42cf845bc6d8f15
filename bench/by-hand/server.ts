import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { SpanStatusCode } from '@opentelemetry/api';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { pino } from 'pino';
import * as prom from 'prom-client';
import { luaHello } from './hello.ts';
import { measured } from './metrics.ts';
import { startTracing } from './tracing.ts';

/** `server.ts <endpoint> <ratio> [<log file>]`: hello.lua behind node:http, with what a good service has today. */
const [endpoint = '', ratio = '1', logFile] = process.argv.slice(2);
const { provider, tracer } = startTracing(endpoint, Number(ratio));
const instrumentation = new HttpInstrumentation();
instrumentation.setTracerProvider(provider);
instrumentation.enable();
const http = createRequire(import.meta.url)('node:http') as typeof import('node:http');

const registry = new prom.Registry();
const beginRequest = measured(registry, {
  name: 'http_requests',
  labels: { method: 'GET', route: '/hello' },
  outcome: 'status',
});
const beginCall = measured(registry, {
  name: 'function_calls',
  labels: { function_id: 'bench:hello' },
  outcome: 'status',
});
// Lines are collected and written in blocks, pino's fastest way to a file.
const logger =
  logFile === undefined ? undefined : pino(pino.destination({ dest: logFile, sync: false, minLength: 4096 }));
const lines = logger?.child({ subsystem: 'http', method: 'GET', route: '/hello' });

const hello = luaHello();
const options = {
  attributes: { 'faas.name': 'bench:hello', 'code.function.name': 'main', 'code.file.path': 'hello.lua' },
};

const server = http.createServer((req, res) => {
  const start = performance.now();
  const settleRequest = beginRequest();
  const url = req.url ?? '/';
  const mark = url.indexOf('?');
  const parameters = mark < 0 ? undefined : new URLSearchParams(url.slice(mark + 1));
  const settleCall = beginCall();
  let span_id: string | undefined;
  let trace_id: string | undefined;
  tracer.startActiveSpan('bench:hello', options, (span) => {
    if (lines !== undefined) ({ spanId: span_id, traceId: trace_id } = span.spanContext());
    try {
      hello({
        query: (name) => parameters?.get(name) ?? undefined,
        writeJson(value) {
          res.setHeader('content-type', 'application/json');
          res.end(JSON.stringify(value));
        },
      });
      settleCall('success');
    } catch (error) {
      span.recordException(error as Error);
      span.setStatus({ code: SpanStatusCode.ERROR });
      settleCall('error');
      res.writeHead(500).end();
    } finally {
      span.end();
    }
  });
  res.on('close', () => {
    settleRequest(String(res.statusCode));
    const duration_ms = Math.round((performance.now() - start) * 10) / 10;
    lines?.info({ status: res.statusCode, trace_id, span_id, duration_ms }, 'request');
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
